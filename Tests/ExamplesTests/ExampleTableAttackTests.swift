import Files
import Testing

@testable import Examples

/// Tables as they go wrong: each fault is refused with line and column, and no line is left out.
@Suite struct ExampleTableAttackTests {
    private func fault(_ bytes: [UInt8], _ file: String) -> String {
        do {
            let table = try ExampleTable(file: file, bytes: bytes)
            return "read \(table.rows.count)"
        } catch {
            return "\(error)"
        }
    }

    private static let good = #"{"text": "a", "label": 0}"# + "\n"

    /// The second line of a table whose first is good, and where its fault is.
    @Test(arguments: [
        (#"{"text": "a", "text": "b"}"#, "2:26"), (#"{"text": NaN}"#, "2:13"),
        (#"{"text": "a"} {"text": "b"}"#, "2:15"),
        (#"{"text": "a",}"#, "2:14"), (#"{"text": "a""#, "2:13"), (#"{"text": "\ud800"}"#, "2:"), (#"["a", 1]"#, "2:"),
        (#""a""#, "2:"), ("null", "2:"), (#"{"text": "a\x"}"#, "2:"), (#"{"text": 01}"#, "2:"),
        (#"{'text': 'a'}"#, "2:2"),
        ("{\"text\": \"a\u{0}\"}", "2:"), ("{\"text\": \"a\tb\"}", "2:"), ("\u{FEFF}{\"text\": \"a\"}", "2:"),
        (#"{"text": "a"}"# + "\r" + #"{"text": "b"}"#, "2:"),
        (String(repeating: "[", count: 200_000), "2:"), (#"{"text": 1e999}"#, "2:"), ("text,label", "2:1"),
        ("# a comment", "2:1"), (#"{"text": "a"} // note"#, "2:15"),
    ]) func linesOfJSONAreReadOrRefused(line: String, place: String) {
        let found = fault(Array((Self.good + line + "\n" + Self.good).utf8), "validation.jsonl")
        #expect(found.hasPrefix("validation.jsonl:\(place)"), "\(line.prefix(60)): \(found)")
    }

    @Test func bytesThatAreNoUTF8AreRefused() {
        for bytes: [UInt8] in [[0xFF], [0xC3, 0x28], [0xED, 0xA0, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80]] {
            let line = Array(#"{"text": ""#.utf8) + bytes + Array(#""}"#.utf8)
            let found = fault(Array(Self.good.utf8) + line, "validation.jsonl")
            #expect(found.hasPrefix("validation.jsonl:2:"), "\(bytes): \(found)")
            let field = fault(Array("text,label\na,1\n".utf8) + bytes + Array(",1\n".utf8), "validation.csv")
            #expect(field.hasPrefix("validation.csv:3:"), "\(bytes): \(field)")
        }
        let wide = Array("text,label\na,1\n".utf16).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        #expect(fault([0xFF, 0xFE] + wide, "validation.csv").hasPrefix("validation.csv:1:"))
        #expect(fault([0xFF, 0xFE] + wide, "validation.jsonl").hasPrefix("validation.jsonl:1:"))
    }

    @Test(arguments: [
        ("text,label\na,1\nb\n", "3:1"), ("text,label\na,1\nb,1,2\n", "3:1"), ("text,label\na,1\n\"b,1\nc,2\n", "5:"),
        ("text,label\na,1\n\"b\"c,1\n", "3:4"), ("text,label\na,1\nb\"c\",1\n", "3:2"), ("text,text\na,1\n", "1:1"),
        ("text,\na,1\n", "1:1"), ("text,label\na,1\n,\"\n", "4:"), ("\"text,label\na,1\n", "3:"),
        ("text,label\r\na,1\r\n\r\nb\r\n", "4:1"), ("text,label\ra,1\rb\r", "3:1"),
    ]) func rowsOfCSVAreReadOrRefused(text: String, place: String) {
        let found = fault(Array(text.utf8), "validation.csv")
        #expect(found.hasPrefix("validation.csv:\(place)"), "\(text.debugDescription): \(found)")
    }

    @Test(arguments: [
        ("validation.csv", ["", "\n", "\u{FEFF}", "text,label\n", "text,label"]),
        ("validation.jsonl", ["", "\n", " \n\t\n"]),
    ]) func tablesWithoutRowsAreRefused(file: String, texts: [String]) {
        for text in texts {
            let found = fault(Array(text.utf8), file)
            #expect(
                found.contains("has no examples") || found.contains("expected a header"),
                "\(file), \(text.debugDescription): \(found)")
        }
    }

    /// A column that some rows lack is one: its label is not left out because the first row has none.
    @Test func columnsOfAnyRowCount() throws {
        let text = #"{"text": "a"}"# + "\n" + #"{"text": "b", "label": 1}"# + "\n"
        let table = try ExampleTable(file: "validation.jsonl", bytes: Array(text.utf8))
        #expect(try ExampleColumns(table, predictsTokens: false).label == "label")
    }
}
