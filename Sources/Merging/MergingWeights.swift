internal import Foundation

/// The weights W: w(i,j) for every task i and layer j, or w(i,j,r) for every output row r at granularity `row`. What they do
/// to a merge are the coefficients c = squash(w).
struct MergingWeights: Sendable, Hashable {
    let taskCount: Int
    /// Weights of each layer per task.
    let rows: [Int]
    /// Place of the first weight of each layer; a layer's weights are task-major.
    let offsets: [Int]
    /// How a weight becomes a coefficient.
    let squash: Squash
    var values: [Double]

    enum Squash: Sendable, Hashable {
        /// c = tanh w: what SuperMerge trains (arXiv 2412.10416, equation 3).
        case tanh
        /// c = w, of any size: what static methods are given.
        case identity
        /// c = w between 0 and 1, and there the bound (AdaMerging, arXiv 2310.02575).
        case clamp
    }

    /// All weights at the one that gives `coefficient`.
    init(taskCount: Int, layers: [Layer], coefficient: Double, squash: Squash) {
        self.taskCount = taskCount
        self.squash = squash
        rows = layers.map(\.weightRows)
        var next = 0
        offsets = rows.map { count in
            defer { next += count * taskCount }
            return next
        }
        values = [Double](repeating: squash.weight(forCoefficient: coefficient), count: next)
    }

    /// Places in `values` of the weights of one task and layer.
    func range(task: Int, layer: Int) -> Range<Int> {
        let start = offsets[layer] + task * rows[layer]
        return start..<start + rows[layer]
    }

    /// c(i,j), one for each row.
    func coefficients(task: Int, layer: Int) -> [Double] {
        coefficients(task: task, layer: layer, rows: 0..<rows[layer])
    }

    /// c(i,j) of some of the layer's rows.
    func coefficients(task: Int, layer: Int, rows: Range<Int>) -> [Double] {
        let start = range(task: task, layer: layer).lowerBound
        return values[start + rows.lowerBound..<start + rows.upperBound].map(squash.coefficient)
    }

    /// ∂L/∂w = squash′(w) · ⟨∂L/∂θm, τ⟩, given the dot products in the order of `values`; for tanh, squash′ = 1 − tanh² w.
    func gradient(dotProducts: [Double]) -> [Double] {
        zip(values, dotProducts).map { squash.slope($0) * $1 }
    }
}

extension MergingWeights.Squash {
    func coefficient(_ weight: Double) -> Double {
        switch self {
        case .tanh: Foundation.tanh(weight)
        case .identity: weight
        case .clamp: min(max(weight, 0), 1)
        }
    }

    /// The inverse, kept finite: under tanh, coefficients of ±1 and beyond give the weight of ±(1 − 10⁻⁶).
    func weight(forCoefficient coefficient: Double) -> Double {
        switch self {
        case .tanh: atanh(min(max(coefficient, -1 + 1e-6), 1 - 1e-6))
        case .identity, .clamp: coefficient
        }
    }

    fileprivate func slope(_ weight: Double) -> Double {
        switch self {
        case .tanh:
            let coefficient = Foundation.tanh(weight)
            return 1 - coefficient * coefficient
        case .identity: return 1
        case .clamp: return (0...1).contains(weight) ? 1 : 0
        }
    }
}
