internal import Torch

/// θp + λ · Δ, where Δ of every matrix is made of all its task vectors at once by `combine`, and of every other tensor
/// is their mean: norms, biases and convolutions, as the methods' authors have it.
///
/// Memory: the task vectors of one matrix in float32, and what `combine` takes.
final class MatrixMerge: MergeRule {
    let isSum = false
    /// Δ of the τ of the tasks that move the matrix, each [rows, columns] in float32, at least one.
    private let combine: ([Tensor]) throws -> Tensor
    /// θp + Δ of the prepared layer; nil where that is no matrix.
    private var moved: Tensor?

    init(_ combine: @escaping ([Tensor]) throws -> Tensor) { self.combine = combine }

    func prepare(_ layer: Int, of vectors: TaskVectors) throws {
        moved = nil
        let movers = vectors.movers(of: layer)
        guard vectors.layers[layer].shape.count == 2, !vectors.layers[layer].isStatistic, !movers.isEmpty else {
            return
        }
        try TorchRuntime.withoutGradients {
            let origin = try vectors.origin(of: layer)
            let change = try combine(
                movers.map { try vectors.checkpoint(of: $0, layer: layer).subtracting(origin) })
            moved = try origin.adding(change).contiguous()
        }
    }

    func merge(
        _ piece: TaskVectors.Piece, of layer: Int, _ weights: MergingWeights, in vectors: TaskVectors,
        into result: UnsafeMutableRawPointer, _ dtype: DType
    ) throws {
        let coefficients = unsafe weights.coefficients(of: piece, layer)
        let count = unsafe piece.elements.count
        guard let moved else {
            let share = 1 / Float(max(1, vectors.tasks.count))
            return try unsafe MergeKernel.sum(
                origin: piece.origin, vectors: piece.vectors, coefficients: coefficients.map { $0 * share },
                rows: piece.rows.count, stride: count / piece.rows.count, into: result, dtype)
        }
        try unsafe moved.withUnsafeMutableBytes { bytes in
            let place = unsafe UnsafeRawPointer(bytes.baseAddress! + 4 * piece.elements.lowerBound)
            try unsafe MergeKernel.sum(
                origin: piece.origin, vectors: [.init(place, .float32)], coefficients: Array(coefficients.prefix(1)),
                rows: 1, stride: count, into: result, dtype)
        }
    }
}

/// A matrix's singular value decomposition, without the directions in which it is zero up to rounding.
struct SingularValues {
    /// [rows, rank]
    let left: Tensor
    /// In falling order.
    let values: [Double]
    /// [rank, columns]
    let right: Tensor

    /// The largest number of directions that are taken; nil: all.
    init(_ matrix: Tensor, most: Int? = nil) throws {
        let parts = try Tensor.call("aten::linalg_svd", [.tensor(matrix), .bool(false)])
        let all = try parts[1].doubles()
        let least = (all.first ?? 0) * Double(Float.ulpOfOne) * Double(matrix.shape.max() ?? 1)
        let rank = min(all.count { $0 > least }, most ?? all.count)
        values = Array(all.prefix(rank))
        left = try parts[0].columns(from: 0, count: rank)
        right = try parts[2].rows(from: 0, count: rank)
    }

    var mean: Double { values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count) }
}

extension Tensor {
    /// The matrix with orthonormal columns (or rows, where these are fewer) that lies nearest: U Vᵀ of its singular
    /// value decomposition, the solution of the orthogonal Procrustes problem.
    func orthogonalised() throws -> Tensor {
        let parts = try Tensor.call("aten::linalg_svd", [.tensor(self), .bool(false)])
        return try parts[0].matrixProduct(parts[2])
    }

    /// self · diag(values), self [rows, values.count].
    func scalingColumns(by values: [Double]) throws -> Tensor {
        try multiplied(by: Tensor(values.map(Float.init), shape: [1, values.count]))
    }
}

extension TaskVectors {
    /// θp(j) in float32.
    func origin(of layer: Int) throws -> Tensor { try base.tensor(layers[layer].name).to(.float32) }
}
