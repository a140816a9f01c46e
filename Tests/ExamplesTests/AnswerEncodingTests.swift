import Files
import Foundation
import Testing
import Tokenizers
import WorkerProtocol

@testable import Examples

/// Questions, texts and their answers, as pairs of which the text is cut.
@Suite struct AnswerEncodingTests {
    private func encoder(maximum: Int = 16) throws -> TextEncoder {
        let json = #"""
            {"normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"},
             "post_processor": {"type": "BertProcessing", "cls": ["<s>", 1], "sep": ["</s>", 2]},
             "model": {"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##",
                       "max_input_chars_per_word": 100,
                       "vocab": {"?": 3, "who": 4, "was": 5, "a": 6, "ada": 7, "##b": 8, "in": 9, "paris": 10}}}
            """#
        var encoder = TextEncoder(
            tokenizer: try Tokenizer(json: Array(json.utf8)), maximum: maximum, padding: 0, end: nil,
            inputs: ["input_ids", "attention_mask", "token_type_ids"])
        encoder.classification = 1
        return encoder
    }

    private func table(_ rows: [[String: JSONValue]]) -> ExampleTable {
        ExampleTable(file: "v.jsonl", rows: rows.enumerated().map { .init(line: $0 + 1, values: $1) })
    }

    private func answers(_ texts: [JSONValue], _ starts: [JSONValue]) -> JSONValue {
        .object(["text": .array(texts), "answer_start": .array(starts)])
    }

    private func encoded(_ rows: [[String: JSONValue]], maximum: Int = 16) throws -> TextEncoder.Encoded {
        try encoder(maximum: maximum).encode(table(rows), .questionAnswering, ClassNames())
    }

    @Test func anAnswerIsItsFirstAndItsLastToken() throws {
        let rows: [[String: JSONValue]] = [
            // Characters, not bytes: the first is two of them.
            [
                "id": "1", "question": " who was in", "context": "É ab was in Paris",
                "answers": answers(["ab was", "in Paris"], [2, 9]),
            ],
            ["id": "2", "question": "who", "context": "Ada", "answers": answers([], [])],
        ]
        let encoded = try encoded(rows)
        #expect(encoded.inputs["input_ids"]?[0] == [1, 4, 5, 9, 2, 3, 6, 8, 5, 9, 10, 2])
        #expect(encoded.inputs["token_type_ids"]?[0] == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1])
        #expect(encoded.labels == .tokens([[6, 8], [0, 0]]))
        let rest = try #require(encoded.answers)
        #expect(rest.width == 12)
        #expect(
            rest.offsets[0..<24].elementsEqual(
                [-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 2, 3, 4, 4, 5, 6, 9, 10, 12, 13, 18, -1, -1]))
        #expect(
            rest.texts == [
                .init(context: "É ab was in Paris", answers: ["ab was", "in Paris"]),
                .init(context: "Ada", answers: []),
            ])
    }

    @Test(arguments: [
        ["answer": "Paris", "answer_start": 7] as [String: JSONValue], ["answer": "Paris", "answer_start": "7"],
        ["answer": "Paris"], ["answers": "Paris"], ["answers": .array(["Paris"]), "answer_start": .array([7])],
        ["answers": .array([.object(["text": "Paris", "answer_start": 7])])],
        ["answers": .object(["text": "Paris", "answer_start": 7])],
    ]) func otherFormsSayTheSame(form: [String: JSONValue]) throws {
        let row: [String: JSONValue] = ["question": "who", "context": "was in Paris"]
        let encoded = try encoded([row.merging(form) { $1 }])
        #expect(encoded.labels == .tokens([[5, 5]]))
        #expect(encoded.answers?.texts == [.init(context: "was in Paris", answers: ["Paris"])])
    }

    @Test func withoutAnswersThereAreNoLabels() throws {
        let encoded = try encoded([["question": "who", "context": "a"], ["question": "who", "context": "ada"]])
        #expect(encoded.labels == .none && encoded.answers?.texts.count == 2)
    }

    /// The text alone is cut, and is kept no longer than its tokens.
    @Test func theTextIsCut() throws {
        let row: [String: JSONValue] = [
            "question": "who was in paris", "context": "ada was in paris", "answers": answers(["ada"], [0]),
        ]
        let encoded = try encoded([row, row], maximum: 9)
        #expect(encoded.truncated == 2)
        #expect(encoded.inputs["input_ids"]?[0] == [1, 4, 5, 9, 10, 2, 7, 5, 2])
        #expect(encoded.answers?.texts[0].context == "ada was")
    }

    @Test func whatDoesNotFitIsRefusedByItsLine() throws {
        let context: JSONValue = "a was a in paris"
        let cases: [([String: JSONValue], String)] = [
            (["context": context, "answers": answers(["paris"], [3])], "is not at answer_start 3, where \"as a \" is"),
            (["context": context, "answers": answers(["paris"], [99])], "answer_start 99, and the text has 16"),
            (["context": context, "answers": answers(["paris"], [-1])], "answer_start -1"),
            (["context": context, "answers": answers(["paris"], ["x"])], "the text has 16 characters"),
            (["context": context, "answers": answers(["paris"], [])], ""),
            (["context": context, "answers": answers(["paris"], [11, 1])], "1 texts and 2 starts"),
            (["context": context, "answers": answers([1], [1])], "invalid answer: 1"),
            (["context": context, "answers": answers([""], [1])], "invalid answer"),
            (["context": context, "answers": .object(["start": 1])], "an object without `text`"),
            (["context": context, "answer": "a"], "\"a\" occurs 4 times in the text"),
            (["context": context, "answer": "rome"], "\"rome\" occurs 0 times in the text"),
            (["context": 5, "answer": "rome"], "invalid context: 5; expected a text"),
            (["passages": context, "answer": "rome"], "has no text_pair column"),
        ]
        for (row, message) in cases where !message.isEmpty {
            let error = #expect(throws: ExamplesError.self) {
                try encoded([row.merging(["question": "who"]) { $1 }])
            }
            #expect("\(error.map { "\($0)" } ?? "")".contains(message), "\(row): \(error.map { "\($0)" } ?? "")")
        }
        let cut = #expect(throws: ExamplesError.self) {
            try encoded([["question": "who", "context": context, "answers": answers(["paris"], [11])]], maximum: 7)
        }
        #expect("\(cut.map { "\($0)" } ?? "")".contains("v.jsonl:1: the answer \"paris\" lies behind the 7 tokens"))
        let long = #expect(throws: ExamplesError.self) {
            try encoded([["question": "who was in paris", "context": context, "answer": "paris"]], maximum: 7)
        }
        #expect("\(long.map { "\($0)" } ?? "")".contains("v.jsonl:1: the question leaves no room"))
        #expect(throws: ExamplesError.self) {
            try encoded([
                ["question": "who", "context": "ada", "answer": "ada"], ["question": "who", "context": "ada"],
            ])
        }
    }
}
