import Foundation
import Testing
import WorkerProtocol

@testable import Merging

/// Metrics of texts and of spans against rouge_score, seqeval and the evaluation of SQuAD
/// (Tools/make_text_fixtures.py).
@Suite struct TextMetricTests {
    private struct Reference: Decodable {
        struct Text: Decodable {
            var text: String
            var references: [String]
            var exactMatch: Double
            var squadF1: Double
            var rougeL: Double
            var contains: Double

            enum CodingKeys: String, CodingKey {
                case text, references, contains
                case exactMatch = "exact-match"
                case squadF1 = "f1-squad"
                case rougeL = "rouge-l"
            }
        }
        struct Spans: Decodable {
            var labels: [[String]]
            var guesses: [[String]]
            var f1: Double
        }
        var texts: [Text]
        var spans: [Spans]
    }

    private func reference() throws -> Reference {
        try JSONDecoder().decode(
            Reference.self, from: Data(contentsOf: URL(filePath: Bundle.module.bundlePath + "/Fixtures/texts.json")))
    }

    @Test func textsAreComparedAsTheOfficialEvaluationsDo() throws {
        let texts = try reference().texts
        #expect(texts.count > 200)
        for each in texts {
            let wanted: [(Metric, Double)] = [
                (.exactMatch, each.exactMatch), (.squadF1, each.squadF1), (.rougeL, each.rougeL),
                (.contains, each.contains),
            ]
            for (metric, value) in wanted {
                let found = TextMetric.value(metric, each.text, references: each.references)
                #expect(
                    abs(found - value) < 1e-12, "\(metric): \(each.text) | \(each.references): \(found), not \(value)")
            }
        }
    }

    @Test func spansAreThoseOfSeqeval() throws {
        let spans = try reference().spans
        #expect(spans.contains { $0.f1 > 0.3 && $0.f1 < 1 })
        for each in spans {
            let counts = zip(each.labels, each.guesses).map { SpanCounts(labels: $0, guesses: $1) }
            let found = counts.reduce(SpanCounts(), +).f1
            #expect(abs(found - each.f1) < 1e-12, "\(each.labels) | \(each.guesses): \(found), not \(each.f1)")
        }
    }

    @Test func textsOfTwoModelsArePaired() throws {
        let before = Predictions(values: [1, 1, 0, 1, 1, 1, 0.5, 1])
        let after = Predictions(values: [0, 0, 0, 0, 0, 0, 1, 0])
        let counts = try #require(PairedCounts(deployed: before, candidate: after, .exactMatch))
        #expect(counts.gained == 1 && counts.lost == 6 && counts.p == nil)
        let p = try #require(PairedCounts(deployed: before, candidate: after, .squadF1)?.p)
        #expect(p < 0.2 && p > 0.02, "\(p)")
        #expect(PairedCounts(deployed: before, candidate: before, .rougeL)?.p == 1)
    }

    @Test func spansOfTwoModelsArePaired() throws {
        func predictions(_ guesses: [String]) -> Predictions {
            var predictions = Predictions()
            let tags = ["O", "B-A", "I-A"]
            let labels = [Int64](repeating: 1, count: guesses.count)
            let indices = guesses.map { Int64(tags.firstIndex(of: $0) ?? 0) }
            predictions.add(
                guesses: indices, labels: labels, losses: [], isScored: labels.map { _ in true },
                examples: guesses.count)
            predictions.add(spans: SpanCounts.each(of: guesses.count, indices, labels, tags: tags))
            return predictions
        }
        let right = predictions(["B-A", "B-A", "B-A", "B-A", "B-A", "B-A", "B-A", "B-A"])
        let wrong = predictions(["O", "O", "O", "O", "O", "O", "O", "B-A"])
        #expect(right.value(.spanF1) == 1 && abs(wrong.value(.spanF1) - 2 / 9) < 1e-12)
        let p = try #require(PairedRandomization.pValue(right, wrong, .spanF1))
        #expect(p < 0.05, "\(p)")
    }
}
