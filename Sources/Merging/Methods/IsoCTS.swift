internal import Torch
internal import WorkerProtocol

/// Iso-CTS (Marczak et al., arXiv 2502.04959, algorithm 2): of the r directions of the summed task vectors the first
/// k = 0.8 r stay, as common ones; each of T tasks adds the s = (r − k)/T strongest of what its τ has beside these, as
/// its own. Left and right directions are made orthogonal (the polar factor), and all count by the mean of their
/// singular values; θ = θp + λ Δ.
enum IsoCTS: MergeMethod {
    static let method = MergeSettings.Method.isoCTS
    static let scales = IsoC.scales
    /// k / r, the authors'.
    static let commonShare = 0.8

    static func rule(
        for vectors: TaskVectors, _ settings: ResolvedSettings, progress: (_ done: Int, _ total: Int) throws -> Void
    ) throws -> any MergeRule { MatrixMerge(combined) }

    /// Δ of matrices [rows, columns].
    static func combined(_ vectors: [Tensor]) throws -> Tensor {
        let sum = try vectors.sum()
        let all = try SingularValues(sum)
        let rank = all.values.count
        let rest = Double(rank - Int(Double(rank) * commonShare)) / Double(vectors.count)
        let own = Int(rest.rounded(.toNearestOrEven))
        let common = rank - own * vectors.count
        guard own > 0 else { return try IsoC.combined(vectors) }
        let shared = try all.left.columns(from: 0, count: common)
        var left = [shared]
        var right = [try all.right.rows(from: 0, count: common)]
        var values = Array(all.values.prefix(common))
        for vector in vectors {
            let inside = try shared.matrixProduct(shared.transposed().matrixProduct(vector))
            let rest = try SingularValues(vector.subtracting(inside), most: own)
            left.append(rest.left)
            right.append(rest.right)
            values += rest.values
        }
        let mean = values.reduce(0, +) / Double(values.count)
        return try Tensor.concatenated(left, axis: 1).orthogonalised()
            .matrixProduct(.concatenated(right).orthogonalised()).multiplied(by: mean)
    }
}
