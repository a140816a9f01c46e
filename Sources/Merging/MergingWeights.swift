internal import Foundation

/// The trained weights W: w(i,j) for every task i and layer j, or w(i,j,r) for every output row r at granularity `row`.
/// The merge coefficient is c = tanh w (SuperMerge, arXiv 2412.10416, equation 3).
struct MergingWeights: Sendable, Hashable {
    let taskCount: Int
    /// Weights of each layer per task.
    let rows: [Int]
    /// Place of the first weight of each layer; a layer's weights are task-major.
    let offsets: [Int]
    var values: [Double]

    /// All weights at w₀ = atanh(scale).
    init(taskCount: Int, layers: [Layer], scale: Double) {
        self.taskCount = taskCount
        rows = layers.map(\.weightRows)
        var next = 0
        offsets = rows.map { count in
            defer { next += count * taskCount }
            return next
        }
        values = [Double](repeating: Self.weight(forCoefficient: scale), count: next)
    }

    /// atanh, kept finite: coefficients of ±1 and beyond give the weight of ±(1 − 10⁻⁶).
    static func weight(forCoefficient coefficient: Double) -> Double {
        atanh(min(max(coefficient, -1 + 1e-6), 1 - 1e-6))
    }

    /// Places in `values` of the weights of one task and layer.
    func range(task: Int, layer: Int) -> Range<Int> {
        let start = offsets[layer] + task * rows[layer]
        return start..<start + rows[layer]
    }

    /// c(i,j) = tanh w(i,j), one for each row.
    func coefficients(task: Int, layer: Int) -> [Double] { values[range(task: task, layer: layer)].map(tanh) }

    /// ∂L/∂w = (1 − tanh² w) · ⟨∂L/∂θm, τ⟩, given the dot products in the order of `values`.
    func gradient(dotProducts: [Double]) -> [Double] {
        zip(values, dotProducts).map { value, dot in
            let coefficient = tanh(value)
            return (1 - coefficient * coefficient) * dot
        }
    }
}
