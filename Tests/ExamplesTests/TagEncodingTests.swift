import Files
import Testing
import Tokenizers

@testable import Examples

/// Words with tags, and several classes an example.
@Suite struct TagEncodingTests {
    private let names = ClassNames(names: ["O", "B-A", "I-A"])

    private func encoder(maximum: Int = 9) throws -> TextEncoder {
        let json = #"""
            {"post_processor": {"type": "BertProcessing", "cls": ["<s>", 1], "sep": ["</s>", 2]},
             "model": {"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##",
                       "max_input_chars_per_word": 100, "vocab": {"?": 3, "a": 4, "b": 5, "##c": 6, "##d": 7}}}
            """#
        return TextEncoder(
            tokenizer: try Tokenizer(json: Array(json.utf8)), maximum: maximum, padding: 0, end: nil,
            inputs: ["input_ids", "attention_mask"])
    }

    private func table(_ rows: [[String: JSONValue]]) -> ExampleTable {
        ExampleTable(file: "v.jsonl", rows: rows.enumerated().map { .init(line: $0 + 1, values: $1) })
    }

    @Test func theFirstTokenOfAWordHasItsTag() throws {
        let table = table([
            ["tokens": .array(["a", "bcd", "a"]), "ner_tags": .array(["O", "B-A", 2])],
            ["tokens": .array(["b"]), "ner_tags": .array([1])],
        ])
        let encoded = try encoder().encode(table, .tokenSpans, names)
        #expect(encoded.inputs["input_ids"] == [[1, 4, 5, 6, 7, 4, 2], [1, 5, 2, 0, 0, 0, 0]])
        #expect(encoded.inputs["attention_mask"] == [[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0, 0]])
        #expect(
            encoded.labels
                == .tokens([[-100, 0, 1, -100, -100, 2, -100], [-100, 1, -100, -100, -100, -100, -100]]))
        let cut = try encoder(maximum: 5).encode(table, .tokenClassification, names)
        #expect(cut.truncated == 1 && cut.inputs["input_ids"]?[0] == [1, 4, 5, 6, 2])
    }

    @Test func tagsThatDoNotFitAreRefused() throws {
        let cases: [([String: JSONValue], String)] = [
            (["words": .array(["a", "b"]), "tags": .array(["O"])], "v.jsonl:1: 1 tags and 2 words"),
            (["words": "a b", "tags": .array(["O"])], "expected a list"),
            (["words": .array(["a", 1]), "tags": .array(["O", "O"])], "expected a list of words"),
            (["words": .array(["a"]), "tags": .array(["B-X"])], "expected one of O, B-A, I-A"),
            (["words": .array(["", "a"]), "tags": .array(["O", "O"])], "has no tokens"),
            (["text": "a", "tags": .array(["O"])], "has no words column"),
        ]
        for (row, message) in cases {
            let error = #expect(throws: ExamplesError.self) {
                try encoder().encode(table([row]), .tokenSpans, names)
            }
            #expect(error?.description.contains(message) == true, "\(String(describing: error))")
        }
    }

    @Test func classesBecomeFlags() throws {
        let names = ClassNames(names: ["red", "green", "blue", "x|y"])
        let table = table([
            ["text": "a", "labels": .array(["red", "blue"])], ["text": "a", "labels": .array([])],
            ["text": "a", "labels": .array([3, 1])], ["text": "a", "labels": .array([0, 1, 1, 0])],
            ["text": "a", "labels": "green|blue"], ["text": "a", "labels": "x|y"],
        ])
        let encoded = try encoder().encode(table, .multiLabel, names)
        #expect(
            encoded.labels
                == .tokens([[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 0, 1], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1]]))
    }

    @Test(
        arguments: [
            (.array(["red", "pink"]), "expected one of red, green"), (.array([0, 1]), "flags or class numbers"),
            (1, "expected a list of classes"),
        ] as [(JSONValue, String)])
    func flagsThatAreUnclearAreRefused(labels: JSONValue, message: String) throws {
        let names = ClassNames(names: ["red", "green"])
        let error = #expect(throws: ExamplesError.self) {
            try encoder().encode(table([["text": "a", "labels": labels]]), .multiLabel, names)
        }
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    }
}
