import Testing
import Torch

@testable import Merging

/// The closed form on problems whose answer is known.
struct RidgeRegressionTests {
    /// Numbers between -1 and 1, fixed by their seed.
    private func numbers(_ count: Int, seed: UInt64) -> [Float] {
        var words = SplitMix64(seed: seed, stream: "ridge")
        return (0..<count).map { _ in Float(words.next() >> 40) / Float(1 << 23) - 1 }
    }

    /// X, W [inputs + 1, outputs] and X W with the last row of W as the bias.
    private func problem(rows: Int, inputs: Int, outputs: Int, seed: UInt64) throws -> (Tensor, Tensor, Tensor) {
        let input = try Tensor(numbers(rows * inputs, seed: seed), shape: [rows, inputs])
        let weights = try Tensor(numbers((inputs + 1) * outputs, seed: 99), shape: [inputs + 1, outputs])
        let target = try input.matrixProduct(weights.rows(from: 0, count: inputs))
            .adding(weights.rows(from: inputs, count: 1))
        return (input, weights, target)
    }

    @Test(arguments: [5, 900]) func recoversTheWeightsThatMadeTheTargets(inputs: Int) throws {
        let regression = try RidgeRegression(inputs: inputs, outputs: 3, hasBias: true)
        var expected: [Double] = []
        for seed in 1...2 as ClosedRange<UInt64> {
            let (input, weights, target) = try problem(rows: 2 * inputs + 7, inputs: inputs, outputs: 3, seed: seed)
            try regression.add(input, target)
            try regression.finishTask()
            expected = try weights.doubles()
        }
        let start = try Tensor.zeros([inputs + 1, 3], .float64)
        let found = try #require(try regression.solution(ridge: 1e-7, start: start)).doubles()
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-3 })
    }

    @Test func aLargeRidgeKeepsTheStart() throws {
        let (input, _, target) = try problem(rows: 20, inputs: 4, outputs: 2, seed: 5)
        let regression = try RidgeRegression(inputs: 4, outputs: 2, hasBias: true)
        try regression.add(input, target)
        try regression.finishTask()
        let start = try Tensor(numbers(10, seed: 6), shape: [5, 2]).to(.float64)
        let found = try #require(try regression.solution(ridge: 1e9, start: start)).doubles()
        #expect(try zip(found, start.doubles()).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    @Test func tasksCountAlikeWhateverTheirRows() throws {
        let few = try problem(rows: 30, inputs: 4, outputs: 2, seed: 1)
        let regressions = try (0..<2).map { _ in try RidgeRegression(inputs: 4, outputs: 2, hasBias: false) }
        for (times, regression) in zip([1, 7], regressions) {
            for _ in 0..<times { try regression.add(few.0, few.2) }
            try regression.finishTask()
        }
        let start = try Tensor.zeros([4, 2], .float64)
        let found = try regressions.map { try #require(try $0.solution(ridge: 0.1, start: start)).doubles() }
        #expect(zip(found[0], found[1]).allSatisfy { abs($0 - $1) < 1e-9 })
    }

    /// W = (Σ Ĝ W_i) / Σ Ĝ against the same sums by hand.
    @Test func gramMatricesWeighTheWeights() throws {
        let regression = try RidgeRegression(inputs: 2, outputs: 1, hasBias: false)
        let inputs: [[Float]] = [[1, 1, 0, 2], [3, 0, 1, 1]]
        let weights: [[Float]] = [[1, 2], [-1, 4]]
        for (input, weight) in zip(inputs, weights) {
            try regression.add(Tensor(input, shape: [2, 2]))
            try regression.finishTask(share: 0.5, weight: Tensor(weight, shape: [2, 1]).to(.float64))
        }
        // Ĝ: [[0.5, 0.25], [0.25, 2.5]] and [[5, 0.25], [0.25, 0.5]].
        let sum = (a: 5.5, b: 0.5, c: 3.0)
        // Ĝ W: [1, 5.25] and [-4, 1.75].
        let right = (a: -3.0, b: 7.0)
        let determinant: Double = sum.a * sum.c - sum.b * sum.b
        let first: Double = (sum.c * right.a - sum.b * right.b) / determinant
        let second: Double = (sum.a * right.b - sum.b * right.a) / determinant
        let expected = [first, second]
        let start = try Tensor.zeros([2, 1], .float64)
        let found = try #require(try regression.solution(ridge: 1e-12, start: start)).doubles()
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(found) \(expected)")
    }

    @Test func zeroInputsSayNothing() throws {
        let regression = try RidgeRegression(inputs: 3, outputs: 2, hasBias: false)
        try regression.add(.zeros([8, 3]), Tensor(numbers(16, seed: 2), shape: [8, 2]))
        try regression.finishTask()
        #expect(try regression.solution(ridge: 0.01, start: .zeros([3, 2], .float64)) == nil)
    }

    @Test(arguments: [[3, 2], [5]]) func unfoldedInputsTimesTheKernelAreTheConvolution(kernel: [Int]) throws {
        let convolution = CalibrationLayer.Convolution(stride: [2], padding: [1], dilation: [1])
        let image = kernel.count == 2 ? [2, 3, 7, 6] : [2, 3, 9]
        let input = try Tensor(numbers(image.reduce(1, *), seed: 3), shape: image)
        let weight = try Tensor(numbers(4 * 3 * kernel.reduce(1, *), seed: 4), shape: [4, 3] + kernel)
        let output = try Tensor.one(
            kernel.count == 2 ? "aten::conv2d" : "aten::conv1d",
            [
                .tensor(input), .tensor(weight), .none, .ints(kernel.map { _ in 2 }), .ints(kernel.map { _ in 1 }),
            ])
        let product = try convolution.unfolded(input, kernel: kernel).matrixProduct(
            weight.reshaped([4, -1]).transposed())
        let expected = try output.channelRows().floats()
        #expect(try zip(product.floats(), expected).allSatisfy { abs($0 - $1) < 1e-5 })
        #expect(product.elementCount == expected.count)
    }
}
