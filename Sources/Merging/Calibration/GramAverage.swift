internal import Torch

/// Weights averaged by the Gram matrices of their inputs: W = (Σ Ĝ_i)⁻¹ Σ Ĝ_i W_i, Ĝ = a · G + (1 − a) · diag G, where
/// G_i = XᵀX / n of task i: what comes nearest to the outputs of the tasks' own weights, Σ |X_i (W − W_i)|². Biases are
/// left as they are.
///
/// Without a, G_i = XᵀX whole and not divided by n: a task counts by its rows. Then the products are taken in float64,
/// because nothing but the ridge keeps rounding from making G singular.
///
/// A millionth of the diagonal's mean holds directions without inputs to the start, so that the system can be solved.
///
/// Memory: two Gram matrices and two weight matrices in float64.
final class GramAverage: LayerProblem {
    private let shape: [Int]
    private let isTransposed: Bool
    private let inputs: Int
    private let share: Double?
    private let regression: RidgeRegression

    static let ridge = 1e-6

    /// `shape`: the weight's; `isTransposed`: it is stored as [inputs, outputs]. `share`: a.
    init(shape: [Int], isTransposed: Bool, share: Double? = nil) throws {
        (self.shape, self.isTransposed, self.share) = (shape, isTransposed, share)
        inputs = shape[isTransposed ? 0 : 1]
        regression = try RidgeRegression(
            inputs: inputs, outputs: shape[isTransposed ? 1 : 0], hasBias: false, countsRows: share == nil)
    }

    func add(_ input: Tensor, _ target: Tensor, of batch: CalibrationBatch) throws {
        let rows = try batch.rows(input, width: inputs)
        try regression.add(share == nil ? rows.to(.float64) : rows)
    }

    var readsWeights: Bool { true }

    func finishTask(weight: Tensor?) throws {
        guard let weight else { return }
        try regression.finishTask(share: share, weight: byInputs(weight))
    }

    func solution(start weight: Tensor, bias: Tensor?) throws -> LayerSolution? {
        guard let found = try regression.solution(ridge: Self.ridge, start: byInputs(weight)) else { return nil }
        return LayerSolution(
            weight: try (isTransposed ? found : found.transposed()).reshaped(shape), bias: nil)
    }

    /// [inputs, outputs] in float64.
    private func byInputs(_ weight: Tensor) throws -> Tensor {
        let matrix = try weight.to(.float64).reshaped([shape[0], shape[1]])
        return try isTransposed ? matrix : matrix.transposed()
    }
}
