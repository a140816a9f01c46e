/// What a merge does with the task vectors beside scaling them.
enum MergeRule {
    /// θp + Σᵢ c(i) · τ(i): averaging, task arithmetic, AdaMerging, SuperMerge.
    case sum
    /// Trim, elect signs, disjoint mean, times λ (`TIES.swift`). `thresholds` holds each task's smallest magnitude that is kept.
    case ties(thresholds: [Float])
    /// Upload at random, rescale what is left by 1 / share (`DARE.swift`). `seeds` holds each task's.
    case dare(share: Double, seeds: [UInt64])

    /// Whether it takes task vectors as they are structured; other rules take them element by element.
    var isSum: Bool { if case .sum = self { true } else { false } }
}
