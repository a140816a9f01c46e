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
        let names = ClassNames(names: ["bad", "good"])
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
        } throws: { error in "\(error)".hasPrefix("v.jsonl: the model takes 'pixel_values'") }
    }

    @Test func namesColumnsThatAreMissing() throws {
        let encoder = try encoder()
        #expect {
            try encoder.encode(table([["body": "a", "label": 0]]), .classification, ClassNames())
        } throws: { error in
            "\(error)".hasPrefix("v.jsonl has no text column: it has body, label; expected one of text")
        }
    }

    @Test func padsToAFixedWidth() throws {
        let json = Array(#"{"model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "a": 1}}}"#.utf8)
        let encoder = TextEncoder(
            tokenizer: try Tokenizer(json: json), maximum: 8, padding: 0, end: nil, inputs: ["input_ids"],
            widths: ["input_ids": 3])
        let encoded = try encoder.encode(table([["text": "a", "label": 0]]), .classification, ClassNames())
        #expect(encoded.inputs["input_ids"] == [[1, 0, 0]])
    }

    @Test func takesPairsByTheNamesOfDataSets() throws {
        let table = table([["question": "a", "sentence": "b", "label": 0]])
        let columns = try ExampleColumns(table, predictsTokens: false)
        #expect(columns.text == "question" && columns.pair == "sentence")
    }

    @Test func takesTheColumnsThatAreNamed() throws {
        let table = table([["review": "a", "text": "b", "stars": 1]])
        let columns = try ExampleColumns(table, named: ["text": "review", "label": "stars"], predictsTokens: false)
        #expect(columns.text == "review" && columns.pair == nil && columns.label == "stars")
    }

    @Test(
        arguments: [
            ([:], "v.jsonl has several columns that could be the text: text, sentence; name one in task.yaml"),
            (["text": "body"], "v.jsonl has no column 'body', which task.yaml names"),
        ] as [([String: String], String)])
    func refusesColumnsThatAreNotClear(named: [String: String], message: String) throws {
        let table = table([["text": "a", "sentence": "b", "label": 0]])
        #expect {
            try ExampleColumns(table, named: named, predictsTokens: false)
        } throws: { error in "\(error)".hasPrefix(message) }
    }

    /// Words, with `<u>` and `<a>` before the turns of user and assistant and `</s>` behind them.
    private func chatEncoder(_ template: String, usesTemplate: Bool = false, maximum: Int = 32) throws -> TextEncoder {
        let json = #"""
            {"added_tokens": [{"id": 1, "content": "<u>", "special": true},
              {"id": 2, "content": "<a>", "special": true},
              {"id": 3, "content": "</s>", "special": true}],
             "pre_tokenizer": {"type": "WhitespaceSplit"},
             "model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "a": 4, "b": 5, "c": 6, "d": 7}}}
            """#
        return TextEncoder(
            tokenizer: try Tokenizer(json: Array(json.utf8)), maximum: maximum, padding: 0, end: nil,
            inputs: ["input_ids"], usesTemplate: usesTemplate,
            template: { () throws(ExamplesError) in
                do { return try ChatTemplate(template) } catch { throw .tokenizer("\(error)") }
            })
    }

    private static let chat = """
        {% for m in messages %}{{ '<u>' if m.role == 'user' else '<a>' }}{{ m.content }}{{ '</s>' }}{% endfor %}
        {%- if add_generation_prompt %}{{ '<a>' }}{% endif %}
        """

    private func turns(_ contents: [String]) -> JSONValue {
        .array(
            contents.enumerated().map { index, text in
                .object(["role": index % 2 == 0 ? "user" : "assistant", "content": .string(text)])
            })
    }

    @Test func scoresTheTurnsOfTheAssistant() throws {
        let table = table([["messages": turns(["a b", "c", "d", "a"])], ["messages": turns(["a", "b"])]])
        let encoded = try chatEncoder(Self.chat).encode(table, .languageModeling, ClassNames())
        #expect(
            encoded.inputs["input_ids"] == [
                [1, 4, 5, 3, 2, 6, 3, 1, 7, 3, 2, 4, 3], [1, 4, 3, 2, 5, 3, 0, 0, 0, 0, 0, 0, 0],
            ])
        let none: Int32 = -100
        #expect(
            encoded.labels
                == .tokens([
                    [none, none, none, none, none, 6, 3, none, none, none, none, 4, 3],
                    [none, none, none, none, 5, 3] + Array(repeating: none, count: 7),
                ]))
    }

    @Test func makesTurnsOfPromptsWhereTheTaskSaysSo() throws {
        let encoder = try chatEncoder(Self.chat, usesTemplate: true)
        let table = table([["prompt": "a", "completion": "b"], ["prompt": "c", "completion": "d"]])
        let encoded = try encoder.encode(table, .languageModeling, ClassNames())
        #expect(encoded.inputs["input_ids"] == [[1, 4, 3, 2, 5, 3], [1, 6, 3, 2, 7, 3]])
        #expect(encoded.labels == .tokens([[-100, -100, -100, -100, 5, 3], [-100, -100, -100, -100, 7, 3]]))
    }

    @Test(arguments: [
        (
            "{% for m in messages %}{{ m.content if loop.last else '' }}{% endfor %}", 32, ["a", "b", "c", "d"],
            "message 2 otherwise"
        ),
        (TextEncoderTests.chat, 3, ["a", "b"], "no turn of the assistant within 3 tokens"),
        (TextEncoderTests.chat, 32, ["a"], "no turn of the assistant within 32 tokens"),
        ("{{ raise_exception('no') }}", 32, ["a", "b"], "the chat template refuses: no"),
    ])
    func refusesConversationsThatCantBeScored(
        template: String, maximum: Int, contents: [String], reason: String
    ) throws {
        let encoder = try chatEncoder(template, maximum: maximum)
        #expect {
            try encoder.encode(table([["messages": turns(contents)]]), .languageModeling, ClassNames())
        } throws: { error in "\(error)".hasPrefix("v.jsonl:1: ") && "\(error)".contains(reason) }
    }
}
