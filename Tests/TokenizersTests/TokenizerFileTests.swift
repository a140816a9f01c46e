import Testing

@testable import Tokenizers

/// Files that can't be used, and what is said of them.
@Suite struct TokenizerFileTests {
    private static func words(_ vocabulary: String, _ rest: String = "") -> [UInt8] {
        Array(#"{"model": {"type": "WordLevel", "unk_token": "?", "vocab": \#(vocabulary)}\#(rest)}"#.utf8)
    }

    @Test(arguments: [
        (#"{"model": {"type": "Magic", "vocab": {}}}"#, "unsupported model 'Magic'"),
        (
            #"{"pre_tokenizer": {"type": "UnicodeScripts"}, "model": {"type": "Unigram", "vocab": []}}"#,
            "unsupported pre_tokenizer 'UnicodeScripts'"
        ),
        (
            #"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}"#,
            "model.merges[0]: a token of the merge 'ab'"
        ),
        (
            #"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [], "dropout": 0.1}}"#,
            "model.dropout: invalid value 0.1"
        ),
        (#"{"model": {"type": "Unigram", "unk_id": 7, "vocab": [["a", -1.0]]}}"#, "model.unk_id: invalid value 7"),
        (#"{"model": {"type": "WordLevel", "vocab": {"a": -1}}}"#, "expected an integer of 0 or more"),
        (#"{"model": {"type": "WordLevel", "vocab": {"a": 99999999}}}"#, "token id 99999999 above"),
        (#"{"model": "#, "the text ends too early"),
    ])
    func refusesFileByName(json: String, reason: String) {
        #expect {
            _ = try Tokenizer(json: Array(json.utf8))
        } throws: { error in "\(error)".contains(reason) }
    }

    @Test func keepsTokensApartThatUnicodeHoldsForEqual() throws {
        let tokenizer = try Tokenizer(json: Self.words(#"{"?": 0, "\u00e9": 1, "e\u0301": 2}"#))
        #expect(try tokenizer.ids(of: "\u{E9}") == [1] && tokenizer.ids(of: "e\u{301}") == [2])
    }

    @Test func boundsPatternThatBacktracks() throws {
        let split = #", "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated"}"#
        let tokenizer = try Tokenizer(json: Self.words(#"{"?": 0}"#, split))
        #expect(throws: TokenizerError.tooComplex(pattern: "(a+)+$")) {
            try tokenizer.ids(of: String(repeating: "a", count: 60) + "b")
        }
    }

    @Test func refusesInvalidPattern() {
        let split = #", "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a"}, "behavior": "Isolated"}"#
        #expect {
            _ = try Tokenizer(json: Self.words("{}", split))
        } throws: { error in "\(error)".contains("invalid pattern '(a'") }
    }

    @Test(arguments: [
        (3, 9, 8, [3, 5]), (9, 3, 8, [5, 3]), (9, 9, 8, [4, 4]), (9, 9, 7, [3, 4]), (2, 2, 8, [2, 2]),
    ])
    func truncatesLongerOfPairFirst(first: Int, second: Int, room: Int, kept: [Int]) throws {
        let tokenizer = try Tokenizer(
            json: Self.words(#"{"?": 0, "a": 1, "b": 2}"#, #", "pre_tokenizer": {"type": "WhitespaceSplit"}"#))
        let encoding = try tokenizer.encode(
            String(repeating: "a ", count: first), pair: String(repeating: "b ", count: second), maximum: room)
        #expect([encoding.ids.count { $0 == 1 }, encoding.ids.count { $0 == 2 }] == kept)
        #expect(encoding.types == Array(repeating: 0, count: kept[0]) + Array(repeating: 1, count: kept[1]))
    }
}
