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

    @Test func acceptsAFineTuneOfABiasAlone() async throws {
        let whole = TestRegistry.taskTensors(shift: 0)
        var tuned = whole
        tuned[1] = TestTensor("trunk.bias", [4], [0, 1, 2, 3.5])
        #expect(try await code(tuned, base: whole) == nil)
    }
}
