internal import Foundation

/// The weights W: w(i,j) for every task i and layer j, or w(i,j,r) for every output row r at granularity `row`, and v(i,j,s)
/// for every column s at granularity `row-column`. What they do to a merge are the coefficients c = squash(w) and the gains
/// g = 1 + squash(v): an element of τ in row r and column s counts c(r) · g(s) times, so that what has a low rank keeps it.
struct MergingWeights: Sendable, Hashable {
    let taskCount: Int
    /// Weights of each layer per task, and how many of gains.
    let rows: [Int]
    let columns: [Int]
    /// Place of the first weight of each layer; a layer's weights are task-major, a task's rows before its columns.
    private let offsets: [Int]
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

    /// All weights at the one that gives `coefficient`, and gains of 1.
    init(taskCount: Int, layers: [Layer], coefficient: Double, squash: Squash) {
        self.taskCount = taskCount
        self.squash = squash
        rows = layers.map(\.weightRows)
        columns = layers.map(\.weightColumns)
        var next = 0
        offsets = zip(rows, columns).map { rows, columns in
            defer { next += (rows + columns) * taskCount }
            return next
        }
        values = [Double](repeating: squash.weight(forCoefficient: coefficient), count: next)
        for layer in layers.indices where columns[layer] > 0 {
            for task in 0..<taskCount { for place in columnRange(task: task, layer: layer) { values[place] = 0 } }
        }
    }

    /// Places in `values` of the weights of one task and layer, without those of its gains.
    func range(task: Int, layer: Int) -> Range<Int> {
        let start = offsets[layer] + task * (rows[layer] + columns[layer])
        return start..<start + rows[layer]
    }

    /// Places in `values` of what gives the gains of one task and layer.
    func columnRange(task: Int, layer: Int) -> Range<Int> {
        let start = range(task: task, layer: layer).upperBound
        return start..<start + columns[layer]
    }

    /// g(i,j), one for each column, or none where the layer has none.
    func gains(task: Int, layer: Int) -> [Double] {
        values[columnRange(task: task, layer: layer)].map(squash.gain)
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

    /// ∂L/∂w = squash′(w) · ⟨∂L/∂θm, ∂θm/∂c⟩, given the dot products in the order of `values`; for tanh, squash′ = 1 − tanh² w.
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

    /// Of `tanh` between 0 and 2.
    func gain(_ weight: Double) -> Double { 1 + coefficient(weight) }

    func weight(forGain gain: Double) -> Double { weight(forCoefficient: gain - 1) }

    /// The inverse of `coefficient`, kept finite: under tanh, coefficients of ±1 and beyond give the weight of ±(1 − 10⁻⁶).
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
