internal import Files
internal import Torch
internal import WorkerProtocol

/// DARE (Yu et al., arXiv 2311.03099): of each task vector a share of the elements, drawn at random, is kept and
/// divided by the share; then task arithmetic. DARE that drops nothing is task arithmetic, to the byte.
enum DARE: MergeMethod {
    static let method = MergeSettings.Method.dare

    static func rule(
        for vectors: TaskVectors, _ settings: ResolvedSettings, progress: (_ done: Int, _ total: Int) throws -> Void
    ) throws -> any MergeRule {
        let share = settings.density
        guard share < 1 else { return ScaledSum() }
        return DroppedSum(share: share, seeds: seeds(vectors.tasks.map(\.name), seed: settings.seed))
    }

    /// A seed of each task, from the merge's seed and the task's name.
    static func seeds(_ tasks: [String], seed: UInt64) -> [UInt64] {
        tasks.map { name in
            let digest = Digest.sha256("dare/\(seed)/\(name)".utf8)
            return UInt64(digest.prefix(16), radix: 16) ?? seed
        }
    }
}

/// θp + Σᵢ c(i) / share · what is drawn of τ(i).
final class DroppedSum: MergeRule {
    let isSum = false
    private let share: Double
    /// Each task's.
    private let seeds: [UInt64]

    init(share: Double, seeds: [UInt64]) {
        self.share = share
        self.seeds = seeds
    }

    func merge(
        _ piece: TaskVectors.Piece, of layer: Int, _ weights: MergingWeights, in vectors: TaskVectors,
        into result: UnsafeMutableRawPointer, _ dtype: DType
    ) throws {
        try unsafe MergeKernel.dare(
            origin: piece.origin, vectors: piece.vectors, coefficients: weights.coefficients(of: piece, layer),
            seeds: piece.owners.map { seeds[$0] &+ UInt64(layer) &* 0x2545_F491_4F6C_DD1D },
            first: piece.elements.lowerBound, elements: piece.elements.count, share: share, into: result, dtype)
    }
}
