internal import Torch

/// What a merge does with the task vectors beside scaling them.
protocol MergeRule: AnyObject {
    /// Whether τ is taken as it is structured; else every τ comes element by element, as the θf that it makes.
    var isSum: Bool { get }

    /// Called before the first piece of a layer is merged, while no piece is held.
    func prepare(_ layer: Int, of vectors: TaskVectors) throws

    /// Writes θm of one piece of the layer, rounded once to `dtype`. `coefficients` are the movers', task-major, one
    /// for each row.
    @unsafe func merge(
        _ piece: TaskVectors.Piece, of layer: Int, _ weights: MergingWeights, in vectors: TaskVectors,
        into result: UnsafeMutableRawPointer, _ dtype: DType
    ) throws
}

extension MergeRule {
    func prepare(_ layer: Int, of vectors: TaskVectors) throws {}
}

/// θp + Σᵢ c(i) · τ(i): averaging, task arithmetic, AdaMerging, SuperMerge; and running statistics, whatever the
/// method.
final class ScaledSum: MergeRule {
    let isSum = true

    func merge(
        _ piece: TaskVectors.Piece, of layer: Int, _ weights: MergingWeights, in vectors: TaskVectors,
        into result: UnsafeMutableRawPointer, _ dtype: DType
    ) throws {
        let movers = unsafe piece.owners
        guard unsafe piece.updates.isEmpty else {
            let tasks = unsafe movers + piece.updateOwners
            return try unsafe MergeKernel.structuredSum(
                origin: piece.origin, vectors: piece.vectors, updates: piece.updates,
                weights: tasks.map { unsafe vectors.weights(weights, of: $0, layer: layer, rows: piece.rows) },
                rows: piece.matrix.rows, columns: piece.matrix.columns, into: result, dtype)
        }
        let gains = movers.flatMap { weights.gains(task: $0, layer: layer).map(Float.init) }
        try unsafe MergeKernel.sum(
            origin: piece.origin, vectors: piece.vectors, coefficients: weights.coefficients(of: piece, layer),
            gains: gains, rows: piece.rows.count, stride: piece.elements.count / piece.rows.count, into: result, dtype)
    }
}

extension MergingWeights {
    /// c of the tasks that hold the piece whole, task-major, one for each of its rows.
    func coefficients(of piece: TaskVectors.Piece, _ layer: Int) -> [Float] {
        let (owners, rows) = unsafe (piece.owners, piece.rows)
        return owners.flatMap { coefficients(task: $0, layer: layer, rows: rows).map(Float.init) }
    }
}
