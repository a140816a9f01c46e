import Files
import Testing

struct JSONKeysTests {
    private func keys(_ text: String) throws -> [String] { try JSONKeys.inOrder(under: "m", text.utf8) }

    @Test func keepsTheOrderOfTheText() throws {
        #expect(
            try keys(#"{"a": {"x": 1}, "m": {"z": 1, "a\n": [{"m": 2}], "k": {"m": {}}}, "b": null}"#) == [
                "z", "a\n", "k",
            ])
    }

    /// A Python dictionary: the value is the last one's, the position the first one's.
    @Test func aRepeatedKeyKeepsItsFirstPosition() throws {
        #expect(try keys(#"{"m": {"z": 1, "y": 1, "z": 2}}"#) == ["z", "y"])
        #expect(try keys(#"{"m": {"z": 1}, "m": {"y": 1}}"#) == ["y"])
    }

    @Test(arguments: ["{}", #"{"m": {}}"#, #"{"m": null}"#, #"{"m": ["a"]}"#, #"{"a": {"m": {"b": 1}}}"#])
    func isEmptyWithoutSuchAnObject(_ text: String) throws { #expect(try keys(text) == []) }

    @Test(arguments: [
        "", "[]", "null", "{", #"{"m": {"a": 1}"#, #"{"m": {"a" 1}}"#, #"{"m": {"a": }}"#, "{\"m\": {\"\u{1}\": 1}}",
        #"{"m": {"a": "# + String(repeating: "[", count: 100_000), #"{"m": {}} {}"#,
    ]) func refusesWhatIsNotJSON(_ text: String) { #expect(throws: JSONCursor.Fault.self) { try keys(text) } }
}
