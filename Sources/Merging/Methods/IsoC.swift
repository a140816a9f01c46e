internal import Torch
internal import WorkerProtocol

/// Iso-C (Marczak et al., "No Task Left Behind", arXiv 2502.04959, algorithm 1): every direction of the summed task
/// vectors counts alike. Δ = σ̄ U Vᵀ, where U Σ Vᵀ = Σᵢ τᵢ and σ̄ is the mean of Σ; θ = θp + λ Δ. Directions in which
/// the sum is zero up to rounding stay out: sums of adapters have them, the authors' full fine-tunes do not.
enum IsoC: MergeMethod {
    static let method = MergeSettings.Method.isoC
    /// 0.1 to 2.5 by 0.1.
    static let scales = (1...25).map { Double($0) / 10 }

    static func rule(
        for vectors: TaskVectors, _ settings: ResolvedSettings, progress: (_ done: Int, _ total: Int) throws -> Void
    ) throws -> any MergeRule { MatrixMerge(combined) }

    /// Δ of matrices [rows, columns].
    static func combined(_ vectors: [Tensor]) throws -> Tensor {
        let sum = try vectors.sum()
        let parts = try SingularValues(sum)
        guard !parts.values.isEmpty else { return sum }
        return try parts.left.matrixProduct(parts.right).multiplied(by: parts.mean)
    }
}

extension [Tensor] {
    /// Of tensors of one shape, at least one.
    func sum() throws -> Tensor { try dropFirst().reduce(self[0]) { try $0.adding($1) } }
}
