internal import Torch
internal import WorkerProtocol

/// TSV-M (Gargiulo et al., "Task Singular Vectors", arXiv 2412.00081, algorithm 1): of each of T task vectors the
/// r/T strongest of r directions stay; those of all tasks together are made orthogonal, left and right alike (the polar
/// factor), so that the tasks interfere less, and keep their singular values. Δ = U⊥ Σ V⊥ᵀ; θ = θp + λ Δ.
enum TSV: MergeMethod {
    static let method = MergeSettings.Method.tsv
    /// 0.1 to 2.5 by 0.1.
    static let scales = IsoC.scales

    static func rule(
        for vectors: TaskVectors, _ settings: ResolvedSettings, progress: (_ done: Int, _ total: Int) throws -> Void
    ) throws -> any MergeRule { MatrixMerge(combined) }

    /// Δ of matrices [rows, columns].
    static func combined(_ vectors: [Tensor]) throws -> Tensor {
        let most = max(1, (vectors[0].shape.min() ?? 1) / vectors.count)
        let parts = try vectors.map { try SingularValues($0, most: most) }
        let values = parts.flatMap(\.values)
        guard !values.isEmpty else { return vectors[0] }
        let left = try Tensor.concatenated(parts.map(\.left), axis: 1).orthogonalised()
        return try left.scalingColumns(by: values)
            .matrixProduct(.concatenated(parts.map(\.right)).orthogonalised())
    }
}
