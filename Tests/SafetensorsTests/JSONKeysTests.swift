import Testing

@testable import Safetensors

struct JSONKeysTests {
    private func keys(_ text: String) -> [String]? { JSONKeys.inOrder(under: "m", Array(text.utf8)) }

    @Test func theyComeAsTheyStand() {
        #expect(
            keys(#"{"a": {"x": 1}, "m": {"z": 1, "a\n": [{"m": 2}], "k": {"m": {}}}, "b": null}"#) == ["z", "a\n", "k"])
        #expect(keys(#"{"m": {"z": 1, "z": 2}}"#) == ["z", "z"])
        #expect(keys(#"{"m": {"z": 1}, "m": {"y": 1}}"#) == ["y"], "Python, too, takes the last")
    }

    @Test(arguments: ["{}", #"{"m": {}}"#, #"{"m": null}"#, #"{"m": ["a"]}"#, #"{"a": {"m": {"b": 1}}}"#])
    func noneWhereThereIsNoSuchObject(_ text: String) { #expect(keys(text) == []) }

    @Test(arguments: [
        "", "[]", "null", "{", #"{"m": {"a": 1}"#, #"{"m": {"a" 1}}"#, #"{"m": {"a": }}"#, "{\"m\": {\"\u{1}\": 1}}",
        #"{"m": {"a": "# + String(repeating: "[", count: 100_000),
    ]) func nilWhereItIsNoJSON(_ text: String) { #expect(keys(text) == nil) }
}
