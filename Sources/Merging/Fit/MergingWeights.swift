internal import WorkerProtocol

/// The weights W: w(i,j) for every task i and layer j, or w(i,j,r) for every output row r at granularity `row`, and
/// v(i,j,s) for every column s at granularity `row-column`. What they do to a merge are the coefficients c = squash(w)
/// and the gains g = 1 + squash(v): an element of τ in row r and column s counts c(r) · g(s) times, so that what has a
/// low rank keeps it.
struct MergingWeights: Sendable, Hashable {
    let taskCount: Int
    /// Weights of each layer per task, and how many of gains.
    let rows: [Int]
    let columns: [Int]
    /// Place of the first weight of each layer; a layer's weights are task-major, a task's rows before its columns.
    private let offsets: [Int]
    /// How a weight becomes a coefficient.
    let squash: MergeSettings.Activation
    var values: [Double]

    /// All weights at the one that gives `coefficient`, and gains of 1.
    init(taskCount: Int, layers: [Layer], coefficient: Double, squash: MergeSettings.Activation) {
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

    /// Sets the weights of running statistics to those that give the mean over the tasks, where no gradient moves them.
    mutating func averageStatistics(_ layers: [Layer]) {
        let mean = squash.weight(forCoefficient: 1 / Double(max(1, taskCount)))
        for layer in layers.indices where layers[layer].isStatistic {
            for task in 0..<taskCount { for place in range(task: task, layer: layer) { values[place] = mean } }
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

    /// ∂L/∂w = squash′(w) · ⟨∂L/∂θm, ∂θm/∂c⟩, and likewise for gains, given the dot products in the order of `values`;
    /// for tanh, squash′ = 1 − tanh² w.
    func gradient(dotProducts: [Double]) -> [Double] {
        var gradient = dotProducts
        for layer in rows.indices {
            for task in 0..<taskCount {
                for place in range(task: task, layer: layer) { gradient[place] *= squash.slope(values[place]) }
                for place in columnRange(task: task, layer: layer) {
                    gradient[place] *= squash.gainSlope(values[place])
                }
            }
        }
        return gradient
    }
}
