import Files
import Testing

@testable import Examples

/// JSON Lines and CSV: what is read, and where a fault is.
@Suite struct ExampleTableTests {
    private func table(_ text: String, _ file: String = "validation.jsonl") throws(ExamplesError) -> ExampleTable {
        try ExampleTable(file: file, bytes: Array(text.utf8))
    }

    @Test func readsOneObjectPerLine() throws {
        let rows = try table("{\"text\": \"a\", \"label\": 1}\r\n\n{\"text\": \"b\", \"label\": \"x\"}").rows
        #expect(rows.map(\.line) == [1, 3])
        #expect(rows[1].values == ["text": "b", "label": "x"])
    }

    @Test func readsQuotedFieldsOfCSV() throws {
        let rows = try table("text,label\n\"a, \"\"b\"\"\nc\",1\r\nd,2\n", "validation.csv").rows
        #expect(rows.map(\.line) == [2, 4])
        #expect(rows[0].values == ["text": "a, \"b\"\nc", "label": "1"])
    }

    @Test(arguments: [
        ("{\"text\": \"a\"}\n{\"text\": }", "validation.jsonl", "validation.jsonl:2:10: "),
        ("[1]", "validation.jsonl", "validation.jsonl:1:"),
        ("text,label\na,1\nb\n", "validation.csv", "validation.csv:3:1: 1 fields where the header has 2"),
        ("text,label\n\"a,1", "validation.csv", "validation.csv:2:5: the file ends inside quotes"),
        ("text,label\na\"b,1", "validation.csv", "validation.csv:2:2: a quote inside a field"),
        ("text,text\n", "validation.csv", "validation.csv:1:1: expected a header of different column names"),
        ("", "validation.jsonl", "validation.jsonl has no examples"),
    ])
    func saysLineAndColumnOfFault(text: String, file: String, message: String) {
        #expect {
            try table(text, file)
        } throws: { error in "\(error)".hasPrefix(message) }
    }
}
