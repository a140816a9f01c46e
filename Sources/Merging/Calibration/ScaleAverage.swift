internal import Torch

/// A norm's scale averaged by the squares of its normalised inputs, element by element: w = Σ s_i w_i / Σ s_i, where
/// s_i = Σ x̂² over the rows of task i. An element without inputs stays at the start, and so does the shift.
///
/// Memory: two numbers for each element, in float64, and two copies of one batch's inputs.
final class ScaleAverage: LayerProblem {
    private let shape: [Int]
    private let isByChannel: Bool
    /// Σ s_i, Σ s_i w_i, and s_i of the task at hand, [elements].
    private let squares: Tensor
    private let products: Tensor
    private let own: Tensor

    /// `shape`: the weight's, which is that of the input's last axes; `isByChannel`: of its second axis.
    init(shape: [Int], isByChannel: Bool) throws {
        (self.shape, self.isByChannel) = (shape, isByChannel)
        let count = shape.reduce(1, *)
        (squares, products) = (try .zeros([count], .float64), try .zeros([count], .float64))
        own = try .zeros([count], .float64)
    }

    func add(_ input: Tensor, _ target: Tensor, of batch: CalibrationBatch) throws {
        // A product with a parameter that is repeated along other axes than the first ones is no norm's.
        guard isByChannel || input.shape.suffix(shape.count) == shape[...] else { return }
        let rows = try isByChannel ? input.channelRows() : batch.rows(input, width: own.elementCount)
        let wide = try rows.to(.float64)
        try own.add(wide.multiplied(by: wide).sum(over: [0]))
    }

    var readsWeights: Bool { true }

    func finishTask(weight: Tensor?) throws {
        guard let weight else { return }
        try squares.add(own)
        try products.addProduct(own, weight.to(.float64).reshaped(own.shape))
        try own.multiply(by: 0)
    }

    func solution(start weight: Tensor, bias: Tensor?) throws -> LayerSolution? {
        let sums = try squares.doubles()
        guard sums.contains(where: { $0 > 0 }), sums.allSatisfy(\.isFinite) else { return nil }
        let values = try zip(zip(products.doubles(), sums), weight.doubles()).map { pair, start in
            pair.1 > 0 ? pair.0 / pair.1 : start
        }
        return LayerSolution(weight: try Tensor(values.map(Float.init), shape: shape), bias: nil)
    }
}
