import Foundation
import Registry
import Tasks
import Testing

/// Adapters of PEFT's as drops.
@Suite struct AdapterAdmissionTests {
    let registry: TestRegistry

    init() throws {
        registry = try TestRegistry()
        try registry.writeBase()
    }

    private static let configuration = """
        {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["trunk"], "modules_to_save": ["head"],
        "base_model_name_or_path": "somewhere/else"}
        """

    private static func factors(_ prefix: String = "base_model.model.") -> [TestTensor] {
        [
            TestTensor(prefix + "trunk.lora_A.weight", [2, 3], [1, 2, 3, 4, 5, 6]),
            TestTensor(prefix + "trunk.lora_B.weight", [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
        ]
    }

    private static func head(_ classes: Int = 2) -> [TestTensor] {
        [
            TestTensor(
                "base_model.model.head.weight", [classes, 4], (0..<4 * classes).map { 1 + Float($0) }),
            TestTensor("base_model.model.head.bias", [classes], [Float](repeating: 0, count: classes)),
        ]
    }

    private func write(
        _ tensors: [TestTensor] = factors() + head(), configuration: String = configuration, settings: String? = nil
    ) throws {
        try registry.write("tasks/t/adapter_model.safetensors", TestTensor.file(tensors))
        try registry.write("tasks/t/adapter_config.json", Array(configuration.utf8))
        try registry.write("tasks/t/validation.safetensors", TestTensor.file(TestRegistry.validation()))
        if let settings { try registry.write("tasks/t/task.yaml", Array(settings.utf8)) }
    }

    private func refusal() async throws -> Refusal? {
        try await registry.settledScan().tasks["t"]?.refusal
    }

    @Test func isAcceptedWithBothItsFiles() async throws {
        try write()
        let task = try #require(try await registry.settledScan().tasks["t"]?.content)
        #expect(
            task.source.files.map(\.name) == [
                "adapter_config.json", "adapter_model.safetensors", "validation.safetensors",
            ])
        #expect(task.source.files.allSatisfy { $0.sha256.count == 64 })
        #expect(task.examples == 3)
    }

    @Test func anotherConfigurationIsAnotherVersion() async throws {
        try write()
        let first = try await registry.settledScan().tasks["t"]?.content?.source.digest
        try write(configuration: Self.configuration.replacing("\"lora_alpha\": 4", with: "\"lora_alpha\": 5"))
        let second = try await registry.settledScan().tasks["t"]?.content?.source.digest
        #expect(first != nil && second != nil && first != second)
    }

    @Test func aDropOfWhichHalfCameWaitsOrIsRefused() async throws {
        try registry.write("tasks/t/adapter_config.json", Array(Self.configuration.utf8))
        #expect(try await refusal()?.code == "missing-weights")
        try write()
        #expect(try await registry.settledScan().tasks["t"]?.content != nil)
    }

    @Test func truncatedFactors() async throws {
        try write()
        let bytes = TestTensor.file(Self.factors() + Self.head())
        try registry.write("tasks/t/adapter_model.safetensors", Array(bytes.dropLast(5)))
        #expect(try await refusal()?.code == "truncated")
    }

    @Test func infinityInAFactor() async throws {
        var factors = Self.factors()
        factors[0] = TestTensor("base_model.model.trunk.lora_A.weight", [2, 3], [1, 2, .infinity, 4, 5, 6])
        try write(factors + Self.head())
        #expect(try await refusal()?.code == "not-finite")
    }

    @Test func anAdapterOfAnotherBase() async throws {
        try write(Self.factors("base_model.model.other.encoder.layer.") + Self.head())
        let refusal = try await refusal()
        #expect(refusal?.code == "adapter-mismatch" && refusal?.message.contains("encoder.layer.trunk") == true)
    }

    @Test func doraInTheConfiguration() async throws {
        try write(configuration: Self.configuration.replacing("\"r\": 2", with: "\"r\": 2, \"use_dora\": true"))
        let refusal = try await refusal()
        #expect(refusal?.code == "adapter-unsupported" && refusal?.message.contains("use_dora") == true)
    }

    @Test func configurationThatIsNoJSON() async throws {
        try write(configuration: "LORA")
        #expect(try await refusal()?.code == "malformed")
    }

    @Test func headThatIsMissing() async throws {
        try write(Self.factors())
        let refusal = try await refusal()
        #expect(refusal?.code == "missing-parameter" && refusal?.message.contains("modules_to_save") == true)
    }

    @Test func labelsBeyondItsHead() async throws {
        try write(Self.factors() + Self.head(1))
        #expect(try await refusal() != nil)
    }

    /// The base has a head of its own, and the adapter's started elsewhere.
    @Test func headFarFromTheBases() async throws {
        let far = [
            TestTensor("head.weight", [2, 4], (0..<8).map { -1 - Float($0) }), TestTensor("head.bias", [2], [0, 0]),
        ]
        try registry.write("base/model.safetensors", TestTensor.file(TestRegistry.trunkTensors() + far))
        try write()
        #expect(try await registry.settledScan().tasks["t"]?.content != nil)
        try write(settings: "head: [head.]")
        #expect(try await registry.settledScan().tasks["t"]?.content != nil)
    }

    @Test func headOfAnotherSizeThanTheBases() async throws {
        let base = [
            TestTensor("head.weight", [5, 4], [Float](repeating: 1, count: 20)),
            TestTensor("head.bias", [5], [Float](repeating: 1, count: 5)),
        ]
        try registry.write("base/model.safetensors", TestTensor.file(TestRegistry.trunkTensors() + base))
        try write()
        let unnamed = try await refusal()
        #expect(unnamed?.message.contains("`head` in task.yaml") == true, "\(unnamed?.message ?? "")")
        try registry.writeTask("full")
        let full = try #require(try await registry.settledScan().tasks["full"]?.refusal)
        #expect(full.message.contains("`head` in task.yaml"), "\(full.message)")
        try write(settings: "head: [head.]")
        #expect(try await registry.settledScan().tasks["t"]?.content != nil)
    }

    @Test func headOfALowRank() async throws {
        try write(settings: "head: [trunk.weight]")
        let refusal = try await refusal()
        #expect(refusal?.code == "adapter-unsupported" && refusal?.message.contains("modules_to_save") == true)
    }

    @Test func tensorThatNobodyKnows() async throws {
        try write(Self.factors() + Self.head() + [TestTensor("base_model.model.tail.weight", [1], [1])])
        #expect(try await refusal()?.code == "extra-parameter")
    }

    @Test func fullWeightsWhereReleasesAreOneAdapter() async throws {
        try registry.writeTask("full")
        try write()
        let snapshot = try await registry.settledScan(registry.scanner(needsAdapters: true))
        let refusal = snapshot.tasks["full"]?.refusal
        #expect(refusal?.code == "no-adapter" && refusal?.message.contains("merge.adapter") == true)
        #expect(snapshot.tasks["t"]?.content?.source.isAdapter == true)
        #expect(try await registry.settledScan().tasks["full"]?.content?.source.isAdapter == false)
    }

    @Test(arguments: ["module.", "module._orig_mod.", "model.module.", "encoder."])
    func wrappedNames(_ prefix: String) async throws {
        try write(Self.factors("base_model.model." + prefix) + Self.head())
        #expect(try await registry.settledScan().tasks["t"]?.content != nil)
    }

    @Test(arguments: ["model.", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model.module."])
    func fullCheckpointWithAPrefix(_ prefix: String) async throws {
        let weights = TestRegistry.taskTensors().map { tensor in
            var tensor = tensor
            tensor.name = prefix + tensor.name
            return tensor
        }
        try registry.writeTask(weights: weights)
        #expect(try await registry.settledScan().tasks["t"]?.content != nil)
    }

    @Test func prefixThatFitsOnlyInPart() async throws {
        let weights = TestRegistry.taskTensors().enumerated().map { place, tensor in
            var tensor = tensor
            if place != 1 { tensor.name = "module." + tensor.name }
            return tensor
        }
        try registry.writeTask(weights: Array(weights.dropFirst()))
        let refusal = try await refusal()
        #expect(refusal?.code == "missing-parameter" && refusal?.message.contains("prefix") == true)
    }

    @Test func resizedVocabulary() async throws {
        var weights = TestRegistry.taskTensors()
        weights[0] = TestTensor("trunk.weight", [6, 3], [Float](repeating: 1, count: 18))
        try registry.writeTask(weights: weights)
        let refusal = try await refusal()
        #expect(refusal?.code == "wrong-shape")
        #expect(refusal?.message.contains("6 rows, the base's 4") == true, "\(refusal?.message ?? "")")
    }
}
