/// One example blended out of two of the same task (mixup, Zhang et al., arXiv 1710.09412): (1 − share) · first + share
/// · second. What it should be called is not known, but what the task's own checkpoint makes of it is: enough to distil
/// from.
struct Mixture: Hashable, Sendable {
    let first: Int
    let second: Int
    /// Between 0 and a half.
    let share: Double

    /// `times` mixtures around each of the examples, fixed by seed and stream: partners are shuffled, and shares spread
    /// evenly.
    static func all(of examples: [Int], times: Int, seed: UInt64, stream: String) -> [Mixture] {
        (0..<max(0, times)).flatMap { round in
            let partners = Sampler.permutation(examples.count, seed: seed, stream: "\(stream)/\(round)/partners")
            let ranks = Sampler.permutation(examples.count, seed: seed, stream: "\(stream)/\(round)/shares")
            return examples.indices.map { place in
                let share = (Double(ranks[place]) + 0.5) / Double(examples.count) / 2
                return Mixture(first: examples[place], second: examples[partners[place]], share: share)
            }
        }
    }
}
