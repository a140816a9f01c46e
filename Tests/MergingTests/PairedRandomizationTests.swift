import Foundation
import Testing
import WorkerProtocol

@testable import Merging

struct PairedRandomizationTests {
    private typealias Pair = (first: Predictions, second: Predictions)

    /// Two models on the same examples, `tokens` predictions each, the second wrong more often.
    private func classified(_ seed: UInt64, examples: Int, tokens: Int = 1) -> Pair {
        var random = SeededRandom(state: seed)
        let count = examples * tokens
        let labels = (0..<count).map { _ in Int64(random.uniform() > 0.2 ? 1 : 0) }
        func model(errors: Float) -> Predictions {
            let guesses = labels.map { abs(random.uniform()) < errors ? 1 - $0 : $0 }
            let losses = guesses.map { _ in Double(abs(random.uniform())) + Double(errors) }
            var predictions = Predictions()
            predictions.add(
                guesses: guesses, labels: labels, losses: losses, isScored: labels.map { _ in true },
                examples: examples)
            return predictions
        }
        return (model(errors: 0.1), model(errors: 0.5))
    }

    private func regressed(_ seed: UInt64, examples: Int) -> Pair {
        var random = SeededRandom(state: seed)
        let targets = (0..<examples).map { _ in Double(random.uniform()) }
        func model(noise: Double) -> Predictions {
            var predictions = Predictions()
            predictions.add(
                outputs: targets.map { $0 + noise * Double(random.uniform()) }, targets: targets, width: 1,
                examples: examples)
            return predictions
        }
        return (model(noise: 0.3), model(noise: 1.5))
    }

    /// All 2ⁿ swaps, each metric worked out anew.
    private func exact(_ pair: Pair, _ metric: Metric) -> Double {
        let owners = pair.first.owners
        func difference(_ swaps: Int) -> Double {
            func blend(_ one: Predictions, _ other: Predictions) -> Double {
                let takes = owners.map { swaps >> $0 & 1 == 1 }
                var blend = Predictions()
                if metric == .pearson {
                    let outputs = takes.indices.map { (takes[$0] ? other : one).outputs[$0] }
                    blend.add(outputs: outputs, targets: one.targets, width: 1, examples: one.examples)
                } else {
                    blend.add(
                        guesses: takes.indices.map { (takes[$0] ? other : one).guesses[$0] }, labels: one.labels,
                        losses: takes.indices.map { (takes[$0] ? other : one).losses[$0] },
                        isScored: takes.map { _ in true }, examples: one.examples)
                }
                return metric == .perplexity ? blend.loss : blend.value(metric)
            }
            return abs(blend(pair.second, pair.first) - blend(pair.first, pair.second))
        }
        let observed = difference(0)
        let all = 1 << pair.first.examples
        return Double((0..<all).count { difference($0) >= observed * (1 - 1e-9) }) / Double(all)
    }

    /// The tosses' deviation is √(p (1 − p) / 1999), at most 0.011.
    @Test(arguments: [Metric.f1, .macroF1, .matthews, .perplexity, .pearson, .accuracy], [3, 4, 5] as [UInt64])
    func tossesComeNearToAllSwaps(metric: Metric, seed: UInt64) throws {
        let pair = metric == .pearson ? regressed(seed, examples: 10) : classified(seed, examples: 10)
        let p = try #require(PairedRandomization.pValue(pair.first, pair.second, metric))
        #expect(abs(p - exact(pair, metric)) < 0.045, "\(p), exactly \(exact(pair, metric))")
    }

    /// Of twenty tokens that are all in two texts nothing is known, however many of them are lost.
    @Test func tokensOfOneTextAreSwappedTogether() throws {
        let texts = classified(7, examples: 2, tokens: 20)
        let p = try #require(PairedRandomization.pValue(texts.first, texts.second, .f1))
        #expect(p > 0.4)
        let singles = classified(7, examples: 40)
        let q = try #require(PairedRandomization.pValue(singles.first, singles.second, .f1))
        #expect(q < 0.05)
    }

    @Test func modelsThatAreAlikeDifferByChance() {
        let (first, second) = classified(3, examples: 30)
        #expect(PairedRandomization.pValue(first, first, .f1) == 1)
        #expect(PairedRandomization.pValue(first, second, .f1) == PairedRandomization.pValue(first, second, .f1))
        #expect(PairedRandomization.pValue(first, classified(4, examples: 30).second, .f1) == nil)
    }

    /// Two columns that lie far apart: pooled they correlate, each for itself they do not.
    @Test func eachNumberOfAnExampleIsCorrelatedForItself() {
        var predictions = Predictions()
        predictions.add(
            outputs: [2, 101, 0, 103, 1, 102], targets: [0, 102, 1, 103, 2, 101], width: 2, examples: 3)
        #expect(abs(predictions.value(.pearson) - (-0.5 + 0.5) / 2) < 1e-12)
        #expect(abs(predictions.loss - (4 + 1 + 1 + 0 + 1 + 1) / 6) < 1e-12)
    }

    @Test func numbersThatComeNearerAreGained() throws {
        let (first, second) = regressed(5, examples: 40)
        let counts = try #require(PairedCounts(deployed: first, candidate: second, .pearson))
        #expect(counts.lost > counts.gained && counts.lost + counts.gained == 40 && counts.examples == 40)
        #expect(try #require(counts.p) < 0.05)
    }
}
