import Registry
import Tasks
import Testing

/// Bases whose weights have other names than their archive: what the archive misses there is not thereby a head.
@Suite struct MisnamedBaseTests {
    private let registry: TestRegistry

    init() throws {
        registry = try TestRegistry()
        try registry.writeBase()
    }

    private func write(_ tensors: [TestTensor]) throws {
        try registry.write("base/model.safetensors", TestTensor.file(tensors))
    }

    /// A base in which the first parameter is called `own`, beside an archive in which it is called `name`.
    private func refusal(_ own: String, _ name: String, requiresValidation: Bool) async throws -> Refusal? {
        var tensors = TestRegistry.trunkTensors()
        tensors[0].name = own
        try write(tensors)
        let scanner = registry.scanner(
            requiresValidation: requiresValidation,
            readGraph: { _ in
                var signature = TestRegistry.signature
                signature.parameters[0].name = name
                return signature
            })
        return try await registry.settledScan(scanner).base.refusal
    }

    @Test(arguments: [
        ("trunk.gain", "trunk.weight"), ("trunk.norm.weight", "trunk.layer_norm.weight"),
        ("encoder.layer.weight", "bert.encoder.layer.weight"),
        ("bert.encoder.layer.weight", "encoder.layer.weight"),
        ("base_model.model.encoder.layer.weight", "encoder.layer.weight"),
    ]) func aTensorOfTheTrunkIsNoHead(_ own: String, _ name: String) async throws {
        for requiresValidation in [true, false] {
            let refusal = try await refusal(own, name, requiresValidation: requiresValidation)
            #expect(refusal?.code == "misnamed-parameter")
            #expect(refusal?.message.contains("`\(name)`") == true && refusal?.message.contains("`\(own)`") == true)
            #expect(refusal?.message.contains("Tools/export_model.py") == true)
        }
    }

    /// A head of another kind is not the whole model's being missing.
    @Test func anotherHeadIsNamed() async throws {
        try write(TestRegistry.trunkTensors())
        let answers = [TestTensor("qa_outputs.weight", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8])]
        try registry.writeTask(weights: TestRegistry.trunkTensors(shift: 0.25) + answers)
        let refusal = try await registry.settledScan().tasks["t"]?.refusal
        #expect(refusal?.code == "missing-parameter")
        for part in ["`head.weight`", "`qa_outputs.weight`", "another kind", "`architectures`"] {
            #expect(refusal?.message.contains(part) == true, "\(refusal?.message ?? "")")
        }
    }

    /// The heads of pretraining have the shapes of others: BERT's two classes of next sentences, RoBERTa's dense layer,
    /// and ALBERT's `sop_classifier.classifier`.
    @Test(arguments: ["pretraining.weight", "sop_head.head.weight", "heads.of.old.head.weight"])
    func aHeadOfPretrainingIsNotTheTasks(_ name: String) async throws {
        try write(TestRegistry.trunkTensors() + [TestTensor(name, [2, 4], [1, 2, 3, 4, 5, 6, 7, 8])])
        try registry.writeTask()
        let snapshot = try await registry.settledScan()
        #expect(snapshot.base.content?.headParameters == ["head.weight", "head.bias"])
        #expect(snapshot.tasks["t"]?.content != nil)
    }

    @Test func anotherShapeIsAnotherTensor() async throws {
        try write(TestRegistry.trunkTensors() + [TestTensor("head.scale", [3], [1, 2, 3])])
        #expect(try await registry.settledScan().base.content?.headParameters == ["head.weight", "head.bias"])
    }

    @Test func normsOf2018AreNoHead() async throws {
        try write([
            TestTensor("LayerNorm.gamma", [4, 3], TestRegistry.trunk), TestTensor("LayerNorm.beta", [4], [0, 1, 2, 3]),
        ])
        let scanner = registry.scanner(readGraph: { _ in
            var signature = TestRegistry.signature
            signature.parameters[0].name = "LayerNorm.weight"
            signature.parameters[1].name = "LayerNorm.bias"
            return signature
        })
        for (name, endings) in [("today", ["weight", "bias"]), ("old", ["gamma", "beta"])] {
            var weights = TestRegistry.taskTensors()
            for (place, ending) in endings.enumerated() { weights[place].name = "LayerNorm.\(ending)" }
            try registry.writeTask(name, weights: weights)
        }
        let snapshot = try await registry.settledScan(scanner)
        #expect(snapshot.base.content?.headParameters == ["head.weight", "head.bias"])
        #expect(snapshot.tasks["today"]?.content != nil && snapshot.tasks["old"]?.content != nil)
    }
}
