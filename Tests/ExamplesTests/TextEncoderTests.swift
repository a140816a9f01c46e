import Files
import Testing
import Tokenizers

@testable import Examples

/// Rows to ids, masks and labels.
@Suite struct TextEncoderTests {
    private func encoder(_ inputs: Set<String> = ["input_ids", "attention_mask"], maximum: Int = 8) throws
        -> TextEncoder
    {
        let json = #"""
            {"pre_tokenizer": {"type": "WhitespaceSplit"},
             "post_processor": {"type": "BertProcessing", "cls": ["<s>", 1], "sep": ["</s>", 2]},
             "model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 3, "a": 4, "b": 5, "c": 6}}}
            """#
        return TextEncoder(
            tokenizer: try Tokenizer(json: Array(json.utf8)), maximum: maximum, padding: 0, end: 2, inputs: inputs)
    }

    private func table(_ rows: [[String: JSONValue]]) -> ExampleTable {
        ExampleTable(file: "v.jsonl", rows: rows.enumerated().map { .init(line: $0 + 1, values: $1) })
    }

    @Test func padsAtEndAndMasks() throws {
        let table = table([["text": "a", "label": 1], ["text": "a b c", "label": 0]])
        let encoded = try encoder().encode(table, .classification, ClassNames())
        #expect(encoded.inputs["input_ids"] == [[1, 4, 2, 0, 0], [1, 4, 5, 6, 2]])
        #expect(encoded.inputs["attention_mask"] == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
        #expect(encoded.labels == .classes([1, 0]) && encoded.truncated == 0)
    }

    @Test func encodesPairsWithTheirSegments() throws {
        let table = table([["premise": "a", "hypothesis": "b c", "label": 0]])
        let encoded = try encoder(["input_ids", "token_type_ids"]).encode(table, .classification, ClassNames())
        #expect(encoded.inputs["input_ids"] == [[1, 4, 2, 5, 6, 2]])
        #expect(encoded.inputs["token_type_ids"] == [[0, 0, 0, 1, 1, 1]])
        #expect(encoded.inputs["attention_mask"] == nil)
    }

    @Test func findsClassesByName() throws {
        let names = ClassNames(configuration: ["id2label": .object(["0": "bad", "1": "good"])])
        let table = table([["text": "a", "label": "good"], ["text": "a", "label": "0"], ["text": "a", "label": 1]])
        #expect(try encoder().encode(table, .classification, names).labels == .classes([1, 0, 1]))
    }

    @Test(arguments: ["great", 2, -1, 0.5] as [JSONValue])
    func refusesLabelOutsideClasses(label: JSONValue) throws {
        let names = ClassNames(names: ["bad", "good"])
        let encoder = try encoder()
        #expect {
            try encoder.encode(
                table([["text": "a", "label": 1], ["text": "a", "label": label]]), .classification, names)
        } throws: { error in
            "\(error)" == "v.jsonl:2: invalid label: \(label.phrase); expected one of bad, good"
        }
    }

    @Test func scoresCompletionAlone() throws {
        let table = table([["prompt": "a", "completion": "b c"], ["prompt": "a b", "completion": "c"]])
        let encoded = try encoder().encode(table, .languageModeling, ClassNames())
        #expect(encoded.inputs["input_ids"] == [[1, 4, 2, 5, 6, 2], [1, 4, 5, 2, 6, 2]])
        #expect(encoded.labels == .tokens([[-100, -100, -100, 5, 6, 2], [-100, -100, -100, -100, 6, 2]]))
    }

    @Test func givesTargetsOfEncoderDecoders() throws {
        let table = table([["text": "a", "summary": "b"], ["text": "a", "summary": "b c"]])
        let encoded = try encoder(["input_ids", "attention_mask", "decoder_input_ids"])
            .encode(table, .sequenceToSequence, ClassNames())
        #expect(encoded.inputs.keys.sorted() == ["attention_mask", "input_ids"])
        #expect(encoded.labels == .tokens([[1, 5, 2, -100], [1, 5, 6, 2]]))
    }

    @Test func cutsLongTextsAndCountsThem() throws {
        let table = table([["text": "a b c a b c", "label": 0]])
        let encoded = try encoder(maximum: 4).encode(table, .classification, ClassNames())
        #expect(encoded.inputs["input_ids"] == [[1, 4, 5, 2]] && encoded.truncated == 1)
    }

    @Test func refusesInputsThatTextDoesNotGive() throws {
        let encoder = try encoder(["pixel_values"])
        #expect {
            try encoder.encode(table([["text": "a"]]), .classification, ClassNames())
        } throws: { error in "\(error)".hasPrefix("the model takes 'pixel_values'") }
    }

    @Test func namesColumnsThatAreMissing() throws {
        let encoder = try encoder()
        #expect {
            try encoder.encode(table([["body": "a", "label": 0]]), .classification, ClassNames())
        } throws: { error in
            "\(error)".hasPrefix("v.jsonl has no text column: it has body, label; expected one of text")
        }
    }
}
