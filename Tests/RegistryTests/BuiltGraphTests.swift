import Files
import Foundation
import Registry
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
        let refusal = try await registry.settledScan(unknown).tasks["t"]?.refusal
        #expect(refusal?.code == "missing-parameter" && refusal?.message.contains("cls.weight") == true)
    }
}
