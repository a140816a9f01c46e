internal import Foundation
internal import WorkerProtocol

/// Whether a metric of two models differs by more than chance, for any metric: the approximate randomization test
/// (Noreen, Computer-Intensive Methods for Testing Hypotheses, 1989; Yeh, COLING 2000). Were the models alike, either
/// could have made each example's predictions; so they are swapped by the toss of a coin, whole examples at once, for
/// tokens of one text are not independent.
enum PairedRandomization {
    static let rounds = 1_999

    /// Two-sided p = (1 + #{|Δ*| ≥ |Δ|}) / (1 + rounds), from the same tosses every time; 1 where nothing differs. Nil
    /// where the predictions can't be paired.
    ///
    /// O(rounds · predictions that differ), for a correlation O(rounds · predictions).
    static func pValue(_ first: Predictions, _ second: Predictions, _ metric: Metric) -> Double? {
        guard first.arePaired(with: second), !first.owners.isEmpty else { return nil }
        let difference = difference(first, second, metric)
        let observed = abs(difference([Bool](repeating: false, count: first.examples)))
        guard observed > 0 else { return 1 }
        var words = SplitMix64(seed: 0, stream: "paired randomization")
        let threshold = observed * (1 - 1e-9)
        var reached = 0
        for _ in 0..<rounds {
            var word: UInt64 = 0
            let swaps = (0..<first.examples).map { example in
                if example % 64 == 0 { word = words.next() }
                return word >> UInt64(example % 64) & 1 == 1
            }
            if abs(difference(swaps)) >= threshold { reached += 1 }
        }
        return Double(1 + reached) / Double(1 + rounds)
    }

    /// The metric of the second less that of the first, with the predictions of some examples swapped.
    private static func difference(
        _ first: Predictions, _ second: Predictions, _ metric: Metric
    ) -> ([Bool]) -> Double {
        let owners = first.owners
        switch metric {
        case .pearson, .spearman:
            return { swaps in
                var (one, other) = (first, second)
                for (place, owner) in owners.enumerated() where swaps[owner] {
                    (one.outputs[place], other.outputs[place]) = (second.outputs[place], first.outputs[place])
                }
                return other.value(metric) - one.value(metric)
            }
        case .perplexity:
            var rises = [Double](repeating: 0, count: first.examples)
            for (place, owner) in owners.enumerated() { rises[owner] += second.losses[place] - first.losses[place] }
            return { swaps in zip(rises, swaps).reduce(0) { $0 + ($1.1 ? -$1.0 : $1.0) } }
        case .spanF1:
            let sums = (first.spans.reduce(SpanCounts(), +), second.spans.reduce(SpanCounts(), +))
            let rises = zip(second.spans, first.spans).map { $0 - $1 }
            return { swaps in
                let moved = zip(rises, swaps).reduce(SpanCounts()) { $1.1 ? $0 + $1.0 : $0 }
                return (sums.1 - moved).f1 - (sums.0 + moved).f1
            }
        case _ where metric.isOfTexts:
            let rises = zip(second.values, first.values).map { $0 - $1 }
            return { swaps in zip(rises, swaps).reduce(0) { $0 + ($1.1 ? -$1.0 : $1.0) } }
        default:
            let counts = (first.counts(metric), second.counts(metric))
            let columns = counts.0.count
            let places = owners.indices.filter { first.guesses[$0] != second.guesses[$0] }
            return { swaps in
                var (one, other) = counts
                for place in places where swaps[owners[place]] {
                    let (label, own, others) = (first.labels[place], first.guesses[place], second.guesses[place])
                    one[place % columns].move(label: label, from: own, to: others)
                    other[place % columns].move(label: label, from: others, to: own)
                }
                return (Predictions.value(other, metric) ?? 0) - (Predictions.value(one, metric) ?? 0)
            }
        }
    }
}

extension PairedCounts {
    /// A candidate's predictions beside those of the deployed release; nil where they can't be paired.
    init?(deployed: Predictions, candidate: Predictions, _ metric: Metric) {
        guard deployed.arePaired(with: candidate), !deployed.owners.isEmpty else { return nil }
        let changes = Self.changes(deployed, candidate)
        self.init(
            gained: changes.gained, lost: changes.lost, examples: deployed.examples,
            p: metric.countsRight ? nil : PairedRandomization.pValue(deployed, candidate, metric))
    }

    /// The same with what became of the examples held out, where these are not all that is compared.
    func noting(heldOut deployed: Predictions, _ candidate: Predictions) -> PairedCounts {
        guard deployed.examples != examples, deployed.arePaired(with: candidate) else { return self }
        let changes = Self.changes(deployed, candidate)
        var counts = self
        counts.lostHeldOut = changes.lost - changes.gained
        return counts
    }

    private static func changes(_ deployed: Predictions, _ candidate: Predictions) -> (gained: Int, lost: Int) {
        let places = deployed.owners.indices
        return (
            places.count { candidate.error($0) < deployed.error($0) },
            places.count { candidate.error($0) > deployed.error($0) }
        )
    }
}
