import Testing
import Torch

/// Weights in 16 bits give what the same weights in float32 give.
@Suite struct NarrowTests {
    /// 1,100 rows of 8,192: more than are widened at once.
    private static let shape = [1_100, 8_192]

    private static func weights() throws -> (narrow: Tensor, wide: Tensor) {
        let narrow = try Tensor(narrow: shape, .bfloat16)
        try narrow.copy(Tensor(numbers(shape.reduce(1, *), seed: 1), shape: shape))
        let wide = try Tensor(empty: shape)
        try wide.copy(narrow)
        return (narrow, wide)
    }

    private static func numbers(_ count: Int, seed: UInt32) -> [Float] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(Int32(bitPattern: state)) / Float(Int32.max)
        }
    }

    private func linear(_ input: Tensor, _ weight: Tensor, _ bias: Tensor?) throws -> Tensor {
        try .one("aten::linear", [.tensor(input), .tensor(weight), .optionalTensor(bias)])
    }

    /// Sums of 8,192 products, to the rounding of float32: how a processor's kernel groups them depends on how many
    /// rows it is given. Products rounded to bfloat16 would be off by 0.1.
    @Test(arguments: [1, 24], [true, false]) func linearLayersGiveTheSameSums(rows: Int, hasBias: Bool) throws {
        let (narrow, wide) = try Self.weights()
        let input = try Tensor(Self.numbers(rows * 8_192, seed: 2), shape: [1, rows, 8_192])
        let bias = hasBias ? try Tensor(Self.numbers(1_100, seed: 3), shape: [1_100]) : nil
        try TorchRuntime.withoutGradients {
            let found = try linear(input, narrow, bias)
            #expect(found.dtype == .float32 && found.shape == [1, rows, 1_100])
            let expected = try linear(input, wide, bias).floats()
            #expect(try zip(found.floats(), expected).allSatisfy { abs($0 - $1) < 1e-3 })
        }
    }

    @Test func gradientsOfTheInputAreTheSame() throws {
        let (narrow, wide) = try Self.weights()
        let input = try Tensor(Self.numbers(4 * 8_192, seed: 2), shape: [4, 8_192])
        let slopes = try [narrow, wide].map { weight in
            let tape = GradientTape()
            let watched = try tape.watch(input, index: 0, in: [])
            let loss = try linear(watched, weight, nil).multiplied(by: 0.5).sum()
            var slope: [Float] = []
            try tape.backward(from: [.init(loss)]) { _, part in
                if case .whole(let gradient) = part { slope = try gradient.floats() }
            }
            return slope
        }
        #expect(slopes[0].count == 4 * 8_192)
        #expect(zip(slopes[0], slopes[1]).allSatisfy { abs($0 - $1) < 1e-3 })
    }

    @Test func embeddingsGiveTheSameBytes() throws {
        let (narrow, wide) = try Self.weights()
        let places = try Tensor([0 as Int64, 1_099, 7, 7], shape: [2, 2])
        let found = try [narrow, wide].map { try Tensor.one("aten::embedding", [.tensor($0), .tensor(places)]) }
        #expect(found[0].dtype == .float32 && found[0].shape == [2, 2, 8_192])
        #expect(try found[0].floats() == found[1].floats())
    }

    @Test func copiesAndOtherTensorsAreNotNarrow() throws {
        let (narrow, wide) = try Self.weights()
        #expect(try narrow.isNarrow && narrow.transposed().isNarrow)
        #expect(try !wide.isNarrow && !narrow.clone().isNarrow && !wide.to(.bfloat16).isNarrow)
    }

    @Test func refusesAnotherType() {
        #expect(throws: TorchError.self) { try Tensor(narrow: [2, 2], .float32) }
    }
}
