internal import Files

/// DARE (Yu et al., arXiv 2311.03099): of each task vector a share of the elements, drawn at random, is kept and divided by the share;
/// then task arithmetic.
extension TaskVectors {
    /// A seed of each task, from the merge's seed and the task's name.
    static func seeds(_ tasks: [String], seed: UInt64) -> [UInt64] {
        tasks.map { name in
            let digest = Digest.sha256("dare/\(seed)/\(name)".utf8)
            return UInt64(digest.prefix(16), radix: 16) ?? seed
        }
    }
}
