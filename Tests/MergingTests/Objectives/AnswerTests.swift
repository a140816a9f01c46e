import Files
import Foundation
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// Answers that a model marks in texts, against transformers' example for SQuAD and the official evaluation
/// (Tools/make_answer_fixtures.py).
@Suite struct AnswerTests {
    private struct Example: Decodable {
        var starts: [Float]
        var ends: [Float]
        var offsets: [Int64]
        var context: String
        var answers: [String]
        var allowsNone: Bool
        var text: String
        var exactMatch: Double
        var squadF1: Double

        enum CodingKeys: String, CodingKey {
            case starts, ends, offsets, context, answers, text
            case allowsNone = "allows-none"
            case exactMatch = "exact-match"
            case squadF1 = "f1-squad"
        }
    }

    private func examples() throws -> [Example] {
        try JSONDecoder().decode(
            [Example].self, from: Data(contentsOf: URL(filePath: Bundle.module.bundlePath + "/Fixtures/answers.json")))
    }

    @Test func textsAndMetricsAreThoseOfTheOfficialEvaluation() throws {
        let examples = try examples()
        #expect(examples.count > 100 && examples.contains { $0.text.isEmpty })
        for example in examples {
            let spans = AnswerSpans(allowsNone: example.allowsNone)
            let text = spans.text(
                starts: example.starts[...], ends: example.ends[...], offsets: example.offsets, example.context)
            #expect(text.utf8.elementsEqual(example.text.utf8), "\(example.context): \(text), not \(example.text)")
            let references = example.answers.isEmpty ? [""] : example.answers
            for (metric, wanted) in [(Metric.exactMatch, example.exactMatch), (.squadF1, example.squadF1)] {
                let value = TextMetric.value(metric, text, references: references)
                #expect(abs(value - wanted) < 1e-12, "\(metric): \(text) | \(references)")
            }
        }
    }

    @Test func aSetIsJudgedByItsWords() throws {
        try Fixture.temporarily { directory in
            let folder = try ModelFolder(newAt: directory + "/questions")
            let examples = Array(try examples().filter { $0.starts.count <= 40 }.prefix(12))
            let width = examples.map(\.starts.count).max() ?? 0
            var (logits, offsets, texts): ([Float], [Int32], [[UInt8]]) = ([], [], [])
            for example in examples {
                let rest = width - example.starts.count
                for scores in [example.starts, example.ends] { logits += scores + Array(repeating: -99, count: rest) }
                offsets += example.offsets.map(Int32.init) + Array(repeating: -1, count: 2 * rest)
                texts.append(try AnswerText(context: example.context, answers: example.answers).bytes())
            }
            let bytes = texts.map(\.count).max() ?? 0
            let padded = texts.flatMap { $0 + Array(repeating: 0, count: bytes - $0.count) }
            try folder.write(
                [
                    "labels": .init(
                        [Int64](repeating: 1, count: 2 * examples.count), .i64, shape: [examples.count, 2]),
                    AnswerTensors.offsets: .init(offsets, .i32, shape: [examples.count, width, 2]),
                    AnswerTensors.texts: .init(padded, .u8, shape: [examples.count, bytes]),
                ], to: "validation.safetensors")
            let file = try SafetensorsFile(file: ReadableFile(path: folder.path + "/validation.safetensors"))
            let columns = try #require(try AnswerColumns(file, task: "questions", isResident: false))
            #expect(columns.hasUnanswerable == examples.contains { $0.answers.isEmpty })
            let order = [5, 2, 11]
            let all = try Tensor(logits, shape: [examples.count, 2, width])
            let judged = try Scorer.answers(
                all.rows(at: Tensor(order.map(Int64.init), shape: [3])), columns, order, .squadF1)
            #expect(judged.map(\.example) == order && judged.allSatisfy { $0.tokens == nil })
            for (text, place) in zip(judged, order) where examples[place].allowsNone == columns.hasUnanswerable {
                #expect(text.text == examples[place].text)
                #expect(abs(text.value - examples[place].squadF1) < 1e-12)
            }
            #expect(throws: (any Error).self) {
                try Scorer.answers(all.reshaped([examples.count, width, 2]), columns, order, .squadF1)
            }
        }
    }

    @Test func textsThatAreNoJSONAreRefused() throws {
        try Fixture.temporarily { directory in
            let folder = try ModelFolder(newAt: directory + "/questions")
            try folder.write(
                [
                    AnswerTensors.offsets: .init([Int32](repeating: 0, count: 4), .i32, shape: [2, 1, 2]),
                    AnswerTensors.texts: .init([UInt8](repeating: 65, count: 8), .u8, shape: [2, 4]),
                ], to: "validation.safetensors")
            let file = try SafetensorsFile(file: ReadableFile(path: folder.path + "/validation.safetensors"))
            let error = #expect(throws: MergeError.self) {
                try AnswerColumns(file, task: "questions", isResident: true)
            }
            #expect(error?.message.contains("`answer_texts` of example 0") == true)
        }
    }

    /// Offsets that lie outside of the text, or within a character, come from a file that anybody may have written.
    @Test func offsetsOutsideOfTheTextMarkNothing() {
        let spans = AnswerSpans(allowsNone: false)
        #expect(spans.text(starts: [1, 2], ends: [1, 2], offsets: [0, 99, -5, 2], "ab") == "")
        #expect(spans.text(starts: [1, 2], ends: [1, 2], offsets: [5, 1, .max, .max], "ab") == "")
        #expect(spans.text(starts: [1], ends: [1], offsets: [0, 1], "é") == "\u{FFFD}")
        #expect(spans.text(starts: [2, 1], ends: [1, 2], offsets: [3, 4, 0, 1], "abcd") == "")
        #expect(spans.text(starts: [], ends: [], offsets: [], "ab") == "")
    }
}
