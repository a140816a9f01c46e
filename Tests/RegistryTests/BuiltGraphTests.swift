import Files
import Foundation
import Registry
import Tasks
import Testing

/// Bases without graph.pt2, whose graph is built from config.json.
@Suite struct BuiltGraphTests {
    private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "ModelFamiliesTests/Fixtures")

    private func registry(_ family: String) throws -> TestRegistry {
        let registry = try TestRegistry()
        for file in ["config.json", "model.safetensors"] {
            try registry.write(
                "base/\(file)", Array(Data(contentsOf: Self.fixtures.appending(path: "\(family)/\(file)"))))
        }
        return registry
    }

    @Test func aTowerIsAcceptedWithTheHeadThatItsTasksBring() async throws {
        let registry = try registry("bert-tower")
        let base = try #require(try await registry.settledScan().base.content)
        #expect(base.hasGraph)
        #expect(base.headParameters == ["classifier.weight", "classifier.bias"])
        #expect(base.source.files.map(\.name) == ["config.json", "model.safetensors"])
    }

    /// What becomes of examples for a base whose fine-tune differs in one element.
    private func drop(
        _ family: String, _ examples: [TestTensor], settings: String = ""
    ) async throws -> Upload<AcceptedTask>? {
        let registry = try registry(family)
        let weights = Self.fixtures.appending(path: "\(family)/model.safetensors")
        var bytes = Array(try Data(contentsOf: weights))
        bytes[bytes.count - 4] ^= 1
        try registry.write("tasks/t/model.safetensors", bytes)
        try registry.write("tasks/t/validation.safetensors", TestTensor.file(examples))
        if !settings.isEmpty { try registry.write("tasks/t/task.yaml", Array(settings.utf8)) }
        return try await registry.settledScan().tasks["t"]
    }

    private static func pair(_ name: String, _ values: [Int32]) -> TestTensor {
        TestTensor(name, [2, 3], integers: values)
    }

    private static let labels = TestTensor("labels", [2], integers: [0, 1])

    @Test func typesOfTokensMayBeGivenWhereTheModelHasThem() async throws {
        let given = [
            Self.pair("input_ids", [4, 5, 6, 7, 8, 9]), Self.pair("attention_mask", [1, 1, 1, 1, 1, 0]), Self.labels,
        ]
        let types = Self.pair("token_type_ids", [0, 1, 1, 0, 0, 1])
        #expect(try await drop("bert", given)?.content?.examples == 2)
        #expect(try await drop("bert", given + [types])?.content?.examples == 2)
        let refusal = try #require(try await drop("roberta", given + [types])?.refusal)
        #expect(refusal.code == "unknown-input" && refusal.message.contains("token_type_ids"))
    }

    @Test func labelsOfTokensNeedAHeadOfTokens() async throws {
        let given = [
            Self.pair("input_ids", [4, 5, 6, 7, 8, 9]), Self.pair("attention_mask", [1, 1, 1, 1, 1, 0]),
            Self.pair("labels", [0, 1, 2, 2, 1, -100]),
        ]
        let objective = "objective: token-classification"
        for family in ["bert-tokens", "roberta-tokens", "distilbert-tokens"] {
            #expect(try await drop(family, given, settings: objective)?.content?.examples == 2, "\(family)")
        }
        let refusal = try #require(try await drop("bert", given, settings: objective)?.refusal)
        #expect(refusal.code == "wrong-objective")
        #expect(refusal.message.contains("Tools/export_model.py --task token-classification"), "\(refusal.message)")
    }

    @Test func paddingBeforeATextIsRefusedWhereItMovesPositions() async throws {
        func given(_ mask: [Int32], _ labels: TestTensor) -> [TestTensor] {
            [Self.pair("input_ids", [4, 5, 6, 1, 8, 9]), Self.pair("attention_mask", mask), labels]
        }
        let tokens = Self.pair("labels", [0, 1, 2, -100, 1, 2])
        let before: [Int32] = [1, 1, 0, 0, 1, 1]
        let cases = [
            ("bert", "classification", Self.labels), ("roberta", "classification", Self.labels),
            ("distilbert", "classification", Self.labels), ("gpt2", "language-modeling", tokens),
            ("bert-tokens", "token-classification", tokens),
        ]
        for (family, objective, labels) in cases {
            let settings = "objective: \(objective)"
            let refusal = try #require(try await drop(family, given(before, labels), settings: settings)?.refusal)
            #expect(refusal.code == "padded-at-start", "\(family): \(refusal.message)")
            #expect(refusal.message.contains("of example 1 (the first is 0)") && refusal.message.contains("at the end"))
            for mask: [Int32] in [[1, 1, 0, 1, 0, 1], [1, 1, 1, 0, 0, 0]] {
                let drop = try await drop(family, given(mask, labels), settings: settings)
                #expect(drop?.content?.examples == 2, "\(family): \(drop?.refusal?.message ?? "")")
            }
        }
        for (family, objective) in [("llama", "language-modeling"), ("roberta-tokens", "token-classification")] {
            let drop = try await drop(family, given(before, tokens), settings: "objective: \(objective)")
            #expect(drop?.content?.examples == 2, "\(family): \(drop?.refusal?.message ?? "")")
        }
    }

    @Test func anotherConfigurationIsAnotherBase() async throws {
        let registry = try registry("llama")
        let first = try #require(try await registry.settledScan().base.content?.source.digest)
        let path = registry.root + "/base/config.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let changed = text.replacing("\"rms_norm_eps\": 1e-06", with: "\"rms_norm_eps\": 1e-05")
        try #require(changed != text)
        try registry.write("base/config.json", Array(changed.utf8))
        let second = try #require(try await registry.settledScan().base.content?.source.digest)
        #expect(first != second)
    }

    @Test func aLearnedMethodNeedsAGraphAndAStaticOneDoesNot() async throws {
        let registry = try registry("vit")
        let path = registry.root + "/base/config.json"
        let text = try String(contentsOfFile: path, encoding: .utf8).replacing("\"gelu\"", with: "\"gelu_10\"")
        try registry.write("base/config.json", Array(text.utf8))
        let refusal = try #require(try await registry.settledScan().base.refusal)
        #expect(refusal.code == "missing-graph")
        for word in ["no graph.pt2", "`hidden_act`", "gelu_10", "Tools/export_model.py"] {
            #expect(refusal.message.contains(word), "\(refusal.message)")
        }
        let scanner = registry.scanner(requiresValidation: false)
        #expect(try await registry.settledScan(scanner).base.content?.hasGraph == false)
    }

    @Test func aTaskNeedsNoTensorThatTheGraphHasNoUseFor() async throws {
        let registry = try TestRegistry()
        try registry.writeBase()
        let pretraining = TestTensor("cls.weight", [2, 2], [1, 2, 3, 4])
        try registry.write(
            "base/model.safetensors", TestTensor.file(TestRegistry.trunkTensors() + [pretraining]))
        try registry.writeTask()
        #expect(try await registry.settledScan().tasks["t"]?.content != nil)
        let unknown = registry.scanner(requiresValidation: false, readGraph: { _ in TestRegistry.signature })
        try registry.remove("base/graph.pt2")
        // Without a graph nothing says that the task's head is one; the base's own tensor stays as it is.
        let refusal = try await registry.settledScan(unknown).tasks["t"]?.refusal
        #expect(refusal?.code == "extra-parameter" && refusal?.message.contains("cls.weight") == false)
    }
}
