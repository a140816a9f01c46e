internal import Torch

/// A matrix θ(j) whose task vectors all have a low rank, τᵢ = Bᵢ·Aᵢ, so that its gradient G need not be formed where it
/// comes as a product Yᵀ·X over T tokens. With A [R, columns] and Bᵀ [R, rows] of all tasks one under another,
/// coefficients a on the rows and gains g on the columns:
///
/// ∂L/∂aᵢ(r) = Σₖ Bᵢ(r,k) · Mᵢ(r,k), M = Yᵀ · (X · (A∘g)ᵀ), and ∂L/∂gᵢ(c) = Σₖ Aᵢ(k,c) · Nᵢ(k,c), N = (Y · (a∘B))ᵀ · X.
///
/// Work: T · R · (rows + columns) multiplications, twice that where there are gains, instead of T · rows · columns.
/// Memory: as many elements without the T, always fewer than the matrix has, and T · R at times.
final class FactoredLayer {
    private let layer: Int
    private let tasks: [Int]
    private let ranks: [Int]
    private let left: Tensor
    private let right: Tensor
    /// The same times the coefficients and the gains of each task; themselves where there are no gains.
    private var weightedLeft: Tensor
    private var weightedRight: Tensor

    /// Nil where some τ has no low rank, where elements have weights of their own, or, unless `always`, where it takes
    /// less work to form the gradient: where the ranks are large for the matrix.
    init?(_ layer: Int, of vectors: TaskVectors, _ weights: MergingWeights, always: Bool = false) throws {
        let shape = vectors.layers[layer].shape
        guard shape.count == 2, weights.rows[layer] == 1 || weights.rows[layer] == shape[0] else { return nil }
        tasks = vectors.movers(of: layer)
        ranks = tasks.compactMap { vectors.lowRank($0, layer) }
        let products = weights.columns[layer] > 0 ? 2 : 1
        guard !tasks.isEmpty, ranks.count == tasks.count,
            always || products * ranks.reduce(0, +) * (shape[0] + shape[1]) < shape[0] * shape[1]
        else { return nil }
        self.layer = layer
        let updates = try tasks.compactMap { try vectors.update(of: $0, layer: layer) }
        left = try .concatenated(
            zip(updates, ranks).map { try Tensor($0.left, shape: [shape[0], $1]).transposed() })
        right = try .concatenated(zip(updates, ranks).map { try Tensor($0.right, shape: [$1, shape[1]]) })
        (weightedLeft, weightedRight) = (left, right)
        try weigh(weights)
    }

    /// Takes over the weights at which the next gradients are.
    func weigh(_ weights: MergingWeights) throws {
        guard weights.columns[layer] > 0 else { return }
        weightedLeft = try scaled(left) { weights.coefficients(task: $0, layer: layer) }
        weightedRight = try scaled(right) { weights.gains(task: $0, layer: layer) }
    }

    /// Each task's rows times the task's factors, one for each column.
    private func scaled(_ factor: Tensor, by factors: (Int) -> [Double]) throws -> Tensor {
        var start = 0
        let parts = try zip(tasks, ranks).map { task, rank in
            defer { start += rank }
            let values = factors(task).map(Float.init)
            return try factor.rows(from: start, count: rank).multiplied(by: Tensor(values, shape: [values.count]))
        }
        return try .concatenated(parts)
    }

    /// Adds the dot products of every task with the gradient slopeᵀ · input, slope [T, rows] and input [T, columns], to
    /// `dots`, in the order of the weights' values.
    func addDots(slope: Tensor, input: Tensor, _ weights: MergingWeights, into dots: inout [Double]) throws {
        let rows = try products(left, weightedRight, slope, input)
        let perTask = rows.count / tasks.count
        for (place, task) in tasks.enumerated() {
            let own = rows[place * perTask..<(place + 1) * perTask]
            let target = weights.range(task: task, layer: layer)
            if target.count == 1 {
                dots[target.lowerBound] += own.reduce(0, +)
            } else {
                for (target, value) in zip(target, own) { dots[target] += value }
            }
        }
        guard weights.columns[layer] > 0 else { return }
        let columns = try products(right, weightedLeft, input, slope)
        let targets = tasks.flatMap { weights.columnRange(task: $0, layer: layer) }
        for (target, value) in zip(targets, columns) { dots[target] += value }
    }

    /// Σₖ own(k,e) · ((inner · otherᵀ)ᵀ · outer)(k,e) over each task's rows k, task-major.
    private func products(_ own: Tensor, _ other: Tensor, _ outer: Tensor, _ inner: Tensor) throws -> [Double] {
        let narrow = try inner.matrixProduct(other.transposed())
        return try MergeKernel.dots(own, narrow.transposed().matrixProduct(outer), segments: ranks)
    }
}
