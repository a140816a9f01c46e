import Files
import Foundation
import Testing

/// What the one JSON reader accepts and how it resolves it. `PythonJSONTests` compares it with Python.
struct JSONParsingTests {
    private func read(_ text: String, _ rules: JSONValue.Rules = .python) throws -> JSONValue {
        try JSONValue(parsing: text.utf8, rules)
    }

    private func fault(_ text: String, _ rules: JSONValue.Rules = .python) -> String? {
        do throws(JSONCursor.Fault) {
            _ = try JSONValue(parsing: text.utf8, rules)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test func takesTheLastOfARepeatedKeyAsPythonDoes() throws {
        #expect(try read(#"{"a": 1, "b": {"c": 1, "c": 2}, "a": 3}"#) == .object(["a": 3, "b": .object(["c": 2])]))
    }

    @Test func refusesARepeatedKeyInItsOwnFiles() {
        #expect(fault(#"{"a": {"b": 1, "\u0062": 2}}"#, .strict)?.contains("'b' comes twice") == true)
    }

    @Test func readsNonFiniteNumbersAsPythonDoes() throws {
        #expect(
            try read("[Infinity, -Infinity, 1e999]")
                == .array([.number(.infinity), .number(-.infinity), .number(.infinity)]))
        guard case .number(let value) = try read("NaN") else { return #expect(Bool(false)) }
        #expect(value.isNaN)
        for text in ["NaN", "[-Infinity]", "1e999"] { #expect(fault(text, .strict) != nil) }
    }

    /// transformers writes int(1e30) as the length of a tokenizer without a limit.
    @Test func readsAnIntegerBeyond64BitsAsTheNearestDouble() throws {
        #expect(try read("1000000000000000019884624838656") == .number(1e30))
        #expect(try read("9223372036854775807") == .integer(.max) && read("-9223372036854775808") == .integer(.min))
        #expect(fault("1" + String(repeating: "0", count: 400))?.contains("beyond the range") == true)
    }

    @Test func aNumberIsAnIntegerAsItIsWritten() throws {
        #expect(try read("[1, 1.0, 1e0, -0]") == .array([1, .number(1), .number(1), 0]))
        #expect(JSONValue.integer(1).isEqual(toPythons: .number(1)) && !JSONValue.integer(1).isEqual(toPythons: true))
        #expect(JSONValue.object(["a": .array([1])]).isEqual(toPythons: .object(["a": .array([1.0])])))
    }

    @Test func refusesKeysThatAreOneToSwiftAndTwoToPython() {
        #expect(fault("{\"\u{E9}\": 1, \"e\u{301}\": 2}")?.contains("how Unicode composes") == true)
    }

    @Test func refusesNestingBeyondItsDepth() throws {
        let deep = { String(repeating: "[", count: $0) + String(repeating: "]", count: $0) }
        _ = try read(deep(JSONCursor.maximumDepth))
        #expect(fault(deep(JSONCursor.maximumDepth + 1))?.contains("nested more than 64") == true)
        #expect(fault(String(repeating: "[{\"a\":", count: 1_000_000)) != nil)
    }

    @Test func saysWhetherTheTextEndsEarly() {
        for (text, early) in [(#"{"a": "#, true), (#"{"a": "b"#, true), (#"{"a": ]"#, false)] {
            do throws(JSONCursor.Fault) {
                _ = try JSONValue(parsing: text.utf8, .python)
                Issue.record("accepted \(text)")
            } catch {
                #expect(error.endsEarly == early)
            }
        }
    }

    private struct Form: Decodable, Equatable {
        var name: String
        var sizes: [UInt8]
        var scale: Double?
        var nested: [String: [Bool?]]
        var any: JSONValue
    }

    @Test func decodesTypedValues() throws {
        let text = #"{"name": "a", "sizes": [1, 255], "scale": 2, "nested": {"x": [true, null]}, "any": {"k": [1.5]}}"#
        let wanted = Form(
            name: "a", sizes: [1, 255], scale: 2, nested: ["x": [true, nil]], any: .object(["k": .array([1.5])]))
        #expect(try JSONValue.decode(Form.self, parsing: text.utf8, .python) == wanted)
    }

    @Test(arguments: [
        (#""sizes": [1, 255]"#, #""sizes": [1, 256]"#, "256 is not a whole number that fits"),
        (#""sizes": [1, 255]"#, #""sizes": [1.0]"#, "1.0 is not a whole number that fits"),
        (#""name": "a""#, #""name": 1"#, "1 is not a string"),
        (#""name": "a","#, "", "the key is missing"),
    ]) func namesTheValueThatHasAnotherForm(_ change: (from: String, to: String, reason: String)) {
        let text = #"{"name": "a", "sizes": [1, 255], "nested": {}, "any": null}"#.replacing(
            change.from, with: change.to)
        do {
            _ = try JSONValue.decode(Form.self, parsing: text.utf8, .python)
            Issue.record("accepted \(text)")
        } catch {
            #expect("\(error)".contains(change.reason))
        }
    }

    @Test func writesWhatItReads() throws {
        let value: JSONValue = .object(["a\n\u{1}\"": .array([1, 0.25, true, .null, "é"]), "b": .object([:])])
        var bytes: [UInt8] = []
        value.write(into: &bytes)
        #expect(try JSONValue(parsing: bytes, .strict) == value)
    }
}
