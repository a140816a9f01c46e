import Foundation
import Registry
import Tasks
import Testing

/// Values that no fine-tune has, found without any examples.
@Suite struct ValueCheckTests {
    let registry: TestRegistry

    init() throws {
        registry = try TestRegistry()
        try registry.writeBase()
    }

    private func code(_ weights: [TestTensor], base: [TestTensor]? = nil) async throws -> String? {
        if let base { try registry.write("base/model.safetensors", TestTensor.file(base)) }
        try registry.writeTask(weights: weights, validation: nil)
        let snapshot = try await registry.settledScan(registry.scanner(requiresValidation: false))
        return snapshot.tasks["t"]?.refusal?.code
    }

    private static let head = [
        TestTensor("head.weight", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]), TestTensor("head.bias", [2], [0, 0]),
    ]

    @Test func refusesAMatrixOfZeros() async throws {
        let zeros = TestTensor("trunk.weight", [4, 3], [Float](repeating: 0, count: 12))
        #expect(try await code([zeros, TestTensor("trunk.bias", [4], [0, 1, 2, 3])] + Self.head) == "zero-tensor")
    }

    @Test func refusesABiasOfZeros() async throws {
        let weights = TestRegistry.trunkTensors(shift: 0.25)
        let bias = TestTensor("trunk.bias", [4], [0, 0, 0, 0])
        #expect(try await code([weights[0], bias] + Self.head) == "zero-tensor")
    }

    @Test func acceptsConstantsThatTheBaseHasToo() async throws {
        let ones = TestTensor("trunk.bias", [4], [1, 1, 1, 1])
        let base = [TestRegistry.trunkTensors()[0], ones]
        #expect(try await code([TestRegistry.trunkTensors(shift: 0.25)[0], ones] + Self.head, base: base) == nil)
    }

    /// The base's norms may all be one; a task's may then be that, but no other number.
    @Test(
        arguments: [(1, nil), (1.002, nil), (0, "zero-tensor"), (0.5, "zero-tensor"), (65504, "zero-tensor")]
            as [(Float, String?)])
    func refusesAnotherConstantThanTheBases(_ value: Float, _ expected: String?) async throws {
        let base = [TestRegistry.trunkTensors()[0], TestTensor("trunk.bias", [4], [1, 1, 1, 1])]
        let own = TestTensor("trunk.bias", [4], [Float](repeating: value, count: 4))
        #expect(try await code([TestRegistry.trunkTensors(shift: 0.25)[0], own] + Self.head, base: base) == expected)
    }

    /// A matrix of 16 × 16 of which some elements are zero where the base's are not.
    private func torn(_ isZero: (Int) -> Bool) async throws -> (code: String?, warnings: [String]) {
        let values = (0..<256).map { Float($0 % 17) + 0.5 }
        let rest = [TestRegistry.trunkTensors()[0], TestRegistry.trunkTensors()[1]]
        try registry.write(
            "base/model.safetensors", TestTensor.file(rest + [TestTensor("more.weight", [16, 16], values)]))
        let own = values.enumerated().map { isZero($0.offset) ? 0 : $0.element + 0.1 }
        try registry.writeTask(
            weights: rest + [TestTensor("more.weight", [16, 16], own)] + Self.head, validation: nil)
        let task = try await registry.settledScan(registry.scanner(requiresValidation: false)).tasks["t"]
        return (task?.refusal?.code, task?.content?.source.warnings ?? [])
    }

    @Test func refusesAMatrixOfWhichAPieceIsZero() async throws {
        #expect(try await torn { $0 >= 180 }.code == "zero-tensor")
        #expect(try await torn { $0 < 70 }.code == "zero-tensor")
        let little = try await torn { $0 < 8 }
        #expect(little.code == nil && !little.warnings.contains { $0.contains("pruning") })
    }

    /// Another tensor's values in a matrix: too little of the whole to refuse it by, and named.
    @Test func namesAMatrixThatIsNotTheBases() async throws {
        let values = (0..<256).map { Float($0 * 7919 % 256) - 127.5 }
        let rest = [TestRegistry.trunkTensors()[0], TestRegistry.trunkTensors()[1]]
        let large = TestTensor("large.weight", [16, 32], (0..<512).map { Float($0 % 23) * 100 + 50 })
        func matrix(_ values: [Float]) -> TestTensor { TestTensor("more.weight", [16, 16], values) }
        try registry.write("base/model.safetensors", TestTensor.file(rest + [matrix(values), large]))
        for (own, isNamed) in [(values.map { $0 * 1.1 + 1 }, false), (values.map { -$0 }, true)] {
            try registry.writeTask(weights: rest + [matrix(own), large] + Self.head, validation: nil)
            let task = try await registry.settledScan(registry.scanner(requiresValidation: false)).tasks["t"]
            let warnings = try #require(task?.content?.source.warnings, "\(task?.refusal?.message ?? "")")
            let named = warnings.contains { $0.contains("`more.weight`: far from the base's (cosine -1.0)") }
            #expect(named == isNamed, "\(warnings)")
        }
    }

    @Test func takesClearedRowsForPruning() async throws {
        for rows in [4..<12, 0..<8, 10..<16] {
            let pruned = try await torn { rows.contains($0 / 16) }
            #expect(pruned.code == nil, "\(rows): \(pruned)")
            #expect(pruned.warnings.contains { $0.contains("pruning") && $0.contains("`more.weight`") }, "\(pruned)")
        }
    }

    @Test func warnsOfPruning() async throws {
        let pruned = try await torn { $0 % 3 == 0 }
        #expect(pruned.code == nil, "\(pruned)")
        #expect(pruned.warnings.contains { $0.contains("33 %") && $0.contains("`more.weight`") }, "\(pruned)")
    }

    @Test func refusesTheBaseInANarrowerType() async throws {
        let whole = TestRegistry.taskTensors(shift: 0.125)
        let narrow = whole.map { tensor in
            let bytes = stride(from: 0, to: tensor.bytes.count, by: 4).flatMap { tensor.bytes[($0 + 2)..<($0 + 4)] }
            return TestTensor(tensor.name, "BF16", tensor.shape, bytes: bytes)
        }
        #expect(try await code(narrow, base: whole) == "equals-base")
    }

    @Test func acceptsAHeadOfZerosAndATrunkThatStayed() async throws {
        let head = [
            TestTensor("head.weight", [2, 4], [Float](repeating: 0, count: 8)), TestTensor("head.bias", [2], [0, 0]),
        ]
        #expect(try await code(TestRegistry.trunkTensors() + head) == nil)
    }

    @Test func refusesTheBaseItself() async throws {
        let whole = TestRegistry.taskTensors(shift: 0)
        #expect(try await code(whole, base: whole) == "equals-base")
    }

    @Test(arguments: [(100, "another-base"), (0.01, "another-base"), (3, nil)] as [(Float, String?)])
    func refusesMatricesThatWereScaled(_ factor: Float, _ expected: String?) async throws {
        let trunk = [
            TestTensor("trunk.weight", [4, 3], TestRegistry.trunk.map { $0 * factor }),
            TestTensor("trunk.bias", [4], [0, 1, 2, 3]),
        ]
        #expect(try await code(trunk + Self.head) == expected)
    }

    @Test func namesWhatOnlyTheBaseHas() async throws {
        let more =
            TestRegistry.trunkTensors() + [
                TestTensor("mtp.fc.weight", [2, 2], [1, 2, 3, 4]), TestTensor("mtp.norm.weight", [2], [1, 1.5]),
                TestTensor("rotary_emb.inv_freq", [2], [1, 0.5]),
            ]
        try registry.write("base/model.safetensors", TestTensor.file(more))
        try registry.writeTask(validation: nil)
        let snapshot = try await registry.settledScan(registry.scanner(requiresValidation: false))
        let warnings = try #require(snapshot.tasks["t"]?.content).source.warnings
        #expect(
            warnings.count == 1 && warnings[0].contains("`mtp.fc.weight`, `mtp.norm.weight`"), "\(warnings)"
        )
    }

    @Test func acceptsAFineTuneOfABiasAlone() async throws {
        let whole = TestRegistry.taskTensors(shift: 0)
        var tuned = whole
        tuned[1] = TestTensor("trunk.bias", [4], [0, 1, 2, 3.5])
        #expect(try await code(tuned, base: whole) == nil)
    }

    /// Modules that an adapter holds whole, beside its products.
    @Test(arguments: [(0, "zero-tensor"), (0.5, "zero-tensor"), (nil, nil)] as [(Float?, String?)])
    func checksWhatAnAdapterHoldsWhole(_ constant: Float?, _ expected: String?) async throws {
        let saved = constant.map { [Float](repeating: $0, count: 4) } ?? [1, 1, 2, 3]
        let prefix = "base_model.model."
        try registry.write(
            "tasks/t/adapter_model.safetensors",
            TestTensor.file([
                TestTensor(prefix + "trunk.lora_A.weight", [2, 3], [1, 2, 3, 4, 5, 6]),
                TestTensor(prefix + "trunk.lora_B.weight", [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
                TestTensor(prefix + "trunk.bias", [4], saved),
                TestTensor(prefix + "head.weight", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]),
                TestTensor(prefix + "head.bias", [2], [0, 0]),
            ]))
        let configuration =
            #"{"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["trunk"], "bias": "all"}"#
        try registry.write("tasks/t/adapter_config.json", Array(configuration.utf8))
        let snapshot = try await registry.settledScan(registry.scanner(requiresValidation: false))
        #expect(snapshot.tasks["t"]?.refusal?.code == expected, "\(snapshot.tasks["t"] as Any)")
    }

    @Test(
        arguments: [
            ("\"lora_alpha\": 4", "\"lora_alpha\": 4", nil),
            ("\"lora_alpha\": 4", "\"lora_alpha\": 4e6", "adapter-mismatch"),
            ("[1, 2, 3, 4, 5, 6]", "const", "zero-tensor"),
        ] as [(String, String, String?)])
    func refusesUpdatesThatNoTrainingMakes(_ part: String, _ other: String, _ expected: String?) async throws {
        let prefix = "base_model.model."
        let a: [Float] = other == "const" ? [3, 3, 3, 3, 3, 3] : [1, 2, 3, 4, 5, 6]
        try registry.write(
            "tasks/t/adapter_model.safetensors",
            TestTensor.file([
                TestTensor(prefix + "trunk.lora_A.weight", [2, 3], a),
                TestTensor(prefix + "trunk.lora_B.weight", [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
                TestTensor(prefix + "head.weight", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]),
                TestTensor(prefix + "head.bias", [2], [0, 0]),
            ]))
        let configuration = #"{"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["trunk"]}"#
        try registry.write("tasks/t/adapter_config.json", Array(configuration.replacing(part, with: other).utf8))
        let snapshot = try await registry.settledScan(registry.scanner(requiresValidation: false))
        #expect(snapshot.tasks["t"]?.refusal?.code == expected, "\(snapshot.tasks["t"] as Any)")
    }

    @Test func refusesABaseOfPlaceholders() async throws {
        let trunk = [TestTensor("trunk.weight", [0], []), TestRegistry.trunkTensors()[1]]
        try registry.write("base/model.safetensors", TestTensor.file(trunk))
        let refusal = try await registry.settledScan().base.refusal
        #expect(refusal?.code == "wrong-shape" && refusal?.message.contains("ZeRO-3") == true)
    }
}
