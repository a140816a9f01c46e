import Files
import Foundation
import Testing
import Tokenizers
import WorkerProtocol

@testable import Examples

/// Questions with answers against the `tokenizers` library and transformers' example for SQuAD
/// (Tools/make_answer_fixtures.py).
@Suite struct AnswerParityTests {
    private struct Example: Decodable {
        var kind: String
        var maximum: Int
        var question: String
        var context: String
        var start: Int?
        var answer: String?
        var ids: [Int32]
        var types: [Int32]
        /// Nil where the answer is cut off.
        var positions: [Int32]?
    }

    @Test func positionsAreThoseOfTransformersExample() throws {
        let path = Bundle.module.bundlePath + "/Fixtures/answers.json"
        let examples = try JSONDecoder().decode([Example].self, from: Data(contentsOf: URL(filePath: path)))
        #expect(examples.count > 150 && examples.contains { $0.positions == nil })
        let tokenizers = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "TokenizersTests/Fixtures")
        for (kind, examples) in Dictionary(grouping: examples, by: \.kind) {
            let file = try Data(contentsOf: tokenizers.appending(path: kind + ".json"))
            let tokenizer = try Tokenizer(json: Array(file))
            for example in examples { try compare(example, tokenizer) }
        }
    }

    private func compare(_ example: Example, _ tokenizer: Tokenizer) throws {
        var encoder = TextEncoder(
            tokenizer: tokenizer, maximum: example.maximum, padding: 0, end: nil,
            inputs: ["input_ids", "token_type_ids"])
        encoder.classification = 2
        var answers: [String: JSONValue] = ["text": .array([]), "answer_start": .array([])]
        if let answer = example.answer, let start = example.start {
            answers = ["text": .array([.string(answer)]), "answer_start": .array([.integer(start)])]
        }
        let row: [String: JSONValue] = [
            "question": .string(example.question), "context": .string(example.context), "answers": .object(answers),
        ]
        let table = ExampleTable(file: "v.jsonl", rows: [.init(line: 1, values: row)])
        let about: Comment = "\(example.kind): \(example.question.debugDescription) \(example.context.debugDescription)"
        do {
            let encoded = try encoder.encode(table, .questionAnswering, ClassNames())
            #expect(encoded.inputs["input_ids"] == [example.ids], about)
            #expect(encoded.inputs["token_type_ids"] == [example.types], about)
            #expect(encoded.labels == example.positions.map { .tokens([$0]) } ?? .none, about)
        } catch {
            #expect(example.positions == nil && "\(error)".contains("lies behind the"), "\(error) \(about)")
        }
    }
}
