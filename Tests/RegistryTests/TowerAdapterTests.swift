import Foundation
import Registry
import Tasks
import Testing

/// Adapters of a whole model for the base's bare tower, and the other way round. The graph is built from the
/// configuration.
@Suite struct TowerAdapterTests {
    private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "ModelFamiliesTests/Fixtures")

    /// A registry with this base, and an adapter of its query whose names begin with `prefix`; the head's do not. Nil:
    /// none.
    private func registry(_ family: String, prefix: String, head: String?) throws -> TestRegistry {
        let registry = try TestRegistry()
        for file in ["config.json", "model.safetensors"] {
            try registry.write(
                "base/\(file)", Array(Data(contentsOf: Self.fixtures.appending(path: "\(family)/\(file)"))))
        }
        let query = "base_model.model.\(prefix)encoder.layer.0.attention.self.query"
        let ones = { (name: String, shape: [Int]) in
            TestTensor(name, shape, [Float](repeating: 1, count: shape.reduce(1, *)))
        }
        var tensors = [ones("\(query).lora_A.weight", [2, 8]), ones("\(query).lora_B.weight", [8, 2])]
        if let head {
            tensors += [
                ones("base_model.model.\(head).weight", [3, 8]), ones("base_model.model.\(head).bias", [3]),
            ]
        }
        try registry.write("tasks/t/adapter_model.safetensors", TestTensor.file(tensors))
        let configuration = """
            {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["query"], "task_type": "SEQ_CLS",
            "modules_to_save": ["classifier", "score"]}
            """
        try registry.write("tasks/t/adapter_config.json", Array(configuration.utf8))
        return registry
    }

    private func task(_ registry: TestRegistry) async throws -> Upload<AcceptedTask>? {
        try await registry.settledScan(registry.scanner(requiresValidation: false)).tasks["t"]
    }

    @Test func anAdapterOfAWholeModelIsTakenForItsTower() async throws {
        let registry = try registry("bert-tower", prefix: "bert.", head: "classifier")
        let scan = try await registry.settledScan(registry.scanner(requiresValidation: false))
        #expect(scan.base.content?.headParameters == ["classifier.weight", "classifier.bias"])
        #expect(scan.tasks["t"]?.content != nil, "\(scan.tasks["t"]?.refusal?.message ?? "")")
    }

    @Test func anAdapterOfATowerIsTakenForAWholeModel() async throws {
        let drop = try await task(registry("bert", prefix: "", head: nil))
        #expect(drop?.content != nil, "\(drop?.refusal?.message ?? "")")
    }

    @Test(
        arguments: [
            ("bert-tower", "module._orig_mod.bert.", "classifier"), ("bert", "module._orig_mod.", nil),
        ] as [(String, String, String?)])
    func wrappersInWrappersComeOff(_ family: String, _ prefix: String, _ head: String?) async throws {
        let drop = try await task(registry(family, prefix: prefix, head: head))
        #expect(drop?.content != nil, "\(drop?.refusal?.message ?? "")")
    }

    /// What is left of the head must be the graph's, not anything that fits the trunk.
    @Test func aHeadThatTheGraphDoesNotKnowIsNamed() async throws {
        let refusal = try await task(registry("bert-tower", prefix: "bert.", head: "score"))?.refusal
        #expect(refusal?.code == "missing-parameter" && refusal?.message.contains("`classifier.bias`") == true)
    }

    @Test func anotherModelIsStillRefused() async throws {
        let refusal = try await task(registry("bert-tower", prefix: "other.electra.embeddings.", head: nil))?.refusal
        #expect(refusal?.code == "adapter-mismatch")
        #expect(refusal?.message.contains("electra.embeddings.encoder") == true)
    }
}
