import Files
import Testing
import Tokenizers
import WorkerProtocol

@testable import Examples

/// Questions with choices as tensors.
@Suite struct ChoiceEncodingTests {
    private func encoder(_ inputs: Set<String>, maximum: Int = 8) throws -> TextEncoder {
        let json = #"""
            {"pre_tokenizer": {"type": "WhitespaceSplit"},
             "model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 3, "a": 4, "b": 5, "c": 6}}}
            """#
        return TextEncoder(
            tokenizer: try Tokenizer(json: Array(json.utf8)), maximum: maximum, padding: 0, end: 2, inputs: inputs)
    }

    private func table(_ rows: [[String: JSONValue]]) -> ExampleTable {
        ExampleTable(file: "v.jsonl", rows: rows.enumerated().map { .init(line: $0 + 1, values: $1) })
    }

    private static let questions: [[String: JSONValue]] = [
        ["question": "a", "choices": .array(["b", "c c", "a"]), "answer": 1],
        ["question": "a b", "choices": .array(["c", "b"]), "answer": 0],
    ]

    @Test func putsChoicesBehindTheQuestionsOfCausalModels() throws {
        let encoded = try encoder(["input_ids", "attention_mask"]).encode(
            table(Self.questions), .multipleChoice, ClassNames())
        #expect(
            encoded.inputs["input_ids"] == [
                [4, 5, 0], [4, 6, 6], [4, 4, 0], [4, 5, 6], [4, 5, 5], [0, 0, 0],
            ])
        #expect(encoded.inputs["attention_mask"]?.last == [0, 0, 0])
        #expect(
            encoded.choices == [
                [-100, 5, -100], [-100, 6, 6], [-100, 4, -100], [-100, -100, 6], [-100, -100, 5], [-100, -100, -100],
            ])
        #expect(encoded.labels == .classes([1, 0]) && encoded.choiceCount == 3 && encoded.inputsHaveChoices)
    }

    @Test func givesChoicesToDecoders() throws {
        let encoded = try encoder(["input_ids", "decoder_input_ids"]).encode(
            table(Self.questions), .multipleChoice, ClassNames())
        #expect(encoded.inputs == ["input_ids": [[4, 0], [4, 5]]])
        #expect(encoded.choices == [[5, -100], [6, 6], [4, -100], [6, -100], [5, -100], [-100, -100]])
    }

    @Test(arguments: [1, "1", "B", "c", "second"] as [JSONValue])
    func findsTheRightChoice(answer: JSONValue) throws {
        let choices: JSONValue = .object([
            "text": .array(["b", "c"]), "label": .array(["first", "second"]),
        ])
        let rows = [["question": "a", "choices": choices, "answerKey": answer]]
        let encoded = try encoder(["input_ids"]).encode(table(rows), .multipleChoice, ClassNames())
        #expect(encoded.labels == .classes([1]))
    }

    @Test(
        arguments: [
            (
                ["question": "a", "choices": .array(["b"])],
                "v.jsonl:1: invalid choices: a list; expected a list of two"
            ),
            (["question": "a", "choices": .array(["b", 1])], "v.jsonl:1: invalid choices"),
            (["question": "a", "choices": .array(["b", "c"]), "answer": 2], "v.jsonl:1: invalid answer: 2; expected"),
            (["question": "a", "choices": .array(["b", "  "]), "answer": 0], "v.jsonl:1: a choice without tokens"),
            (
                ["question": "a a a a a a a a", "choices": .array(["b", "c"])],
                "v.jsonl:1: 9 tokens; expected at most 8"
            ),
            (["question": "a", "answer": 0], "v.jsonl has no choices column: it has answer, question"),
        ] as [([String: JSONValue], String)])
    func refusesWhatIsNoChoice(row: [String: JSONValue], message: String) throws {
        let encoder = try encoder(["input_ids"])
        #expect {
            try encoder.encode(table([row]), .multipleChoice, ClassNames())
        } throws: { error in "\(error)".hasPrefix(message) }
    }
}
