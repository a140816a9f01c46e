import Testing

@testable import Tokenizers

/// Files and texts that are made to break the reader of tokenizer.json: each is read as the library does, or refused by
/// a reason, within the limits of its steps.
@Suite struct TokenizerAttackTests {
    private static let words = #""model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "a": 1}}"#

    private func fault(_ json: String, encoding text: String = "a a", maximum: Int? = nil) -> String {
        do {
            let tokenizer = try Tokenizer(json: Array(json.utf8))
            return "\(try tokenizer.encode(text, maximum: maximum).ids)"
        } catch {
            return "\(error)"
        }
    }

    private static func nested(_ depth: Int) -> String {
        String(repeating: #"{"type": "Sequence", "normalizers": ["#, count: depth)
            + String(repeating: "]}", count: depth)
    }

    private static func steps(_ kind: String, _ count: Int, _ step: String) -> String {
        let steps = Array(repeating: step, count: count).joined(separator: ", ")
        return #"{\#(words), "\#(kind)": {"type": "Sequence", "\#(kind.replacing("_", with: ""))s": [\#(steps)]}}"#
    }

    @Test(arguments: [
        (
            "huge id of a word", #"{"model": {"type": "WordLevel", "unk_token": "?", "vocab": {"a": 4294967296}}}"#,
            "token id"
        ),
        (
            "id beyond 64 bits", #"{"model": {"type": "WordLevel", "vocab": {"a": 99999999999999999999}}}"#,
            "a number above 2^63"
        ),
        ("id that is no whole number", #"{"model": {"type": "WordLevel", "vocab": {"a": 1.5}}}"#, "expected \'}\'"),
        (
            "huge id of an added token", #"{\#(words), "added_tokens": [{"id": 9999999999, "content": "a"}]}"#,
            "added_tokens[0].id: invalid value 9999999999: expected an id below 16777216"
        ),
        (
            "huge id of a special token",
            #"{\#(words), "post_processor": {"type": "BertProcessing", "sep": ["x", 9999999999], "cls": ["y", 0]}}"#,
            "post_processor.sep: invalid value 9999999999"
        ),
        (
            "huge id in a template",
            #"""
            {\#(words), "post_processor": {"type": "TemplateProcessing", "pair": [],
             "single": [{"SpecialToken": {"id": "x", "type_id": 0}}], "special_tokens": {"x": {"ids": [-1]}}}}
            """#, "expected an id below"
        ),
        (
            "huge segment",
            #"""
            {\#(words), "post_processor": {"type": "TemplateProcessing", "pair": [], "special_tokens": {},
             "single": [{"Sequence": {"id": "A", "type_id": 9999999999}}]}}
            """#, "type_id: invalid value 9999999999"
        ),
        ("deep nesting", #"{\#(words), "normalizer": \#(nested(5000))}"#, "nested more than 64 deep"),
        (
            "score that is no number", #"{"model": {"type": "Unigram", "vocab": [["a", NaN]]}}"#,
            "expected a token and its score, a finite number"
        ),
        (
            "merge of words that are not there",
            #"{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": ["a b"]}}"#, "is not in the vocabulary"
        ),
        (
            "replacement of several characters",
            #"{\#(words), "pre_tokenizer": {"type": "Metaspace", "replacement": "  ", "prepend_scheme": "always"}}"#,
            "replacement: invalid value \"  \": expected one character"
        ),
        (
            "escape in the name of a component", #"{\#(words), "normalizer": {"type": "\u001b[2J"}}"#,
            "unsupported normalizer"
        ),
    ]) func refusesFile(attack: String, json: String, reason: String) {
        let found = fault(json)
        #expect(found.contains(reason), "\(attack): \(found)")
        #expect(!found.unicodeScalars.contains { $0.properties.generalCategory == .control }, "\(attack)")
    }

    @Test func boundsStepsThatDoubleText() {
        let doubling = #"{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}"#
        #expect(fault(Self.steps("normalizer", 60, doubling)).contains("its normalizer makes more than 1 MiB"))
        let long =
            #"{"type": "Replace", "pattern": {"String": "a"}, "content": "\#(String(repeating: "b", count: 1 << 14))"}"#
        let many = String(repeating: "a", count: 200)
        #expect(
            fault(#"{\#(Self.words), "normalizer": \#(long)}"#, encoding: many).contains("its normalizer makes more"))
        let bytes = #"{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}"#
        let found = fault(Self.steps("pre_tokenizer", 60, bytes), encoding: "é")
        #expect(found.contains("its pre_tokenizer makes more than 1 MiB"), "\(found)")
    }

    @Test func boundsDecoder() throws {
        let doubling = #"{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}"#
        #expect(fault(Self.steps("decoder", 60, doubling)).contains("more than 1024 times as long"))
        let strip = #"{"type": "Strip", "content": "a", "start": 9223372036854775807, "stop": 9223372036854775807}"#
        let tokenizer = try Tokenizer(json: Array(#"{\#(Self.words), "decoder": \#(strip)}"#.utf8))
        #expect(tokenizer.decode([0, 1]) == "?")
    }

    @Test func boundsPatternsThatBacktrack() {
        for pattern in ["(a+)+$", "(a|a)*$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$", "(?=(a+)+$)a"] {
            let split = #"{"type": "Split", "pattern": {"Regex": "\#(pattern)"}, "behavior": "Isolated"}"#
            let text = String(repeating: "a", count: 64) + "!"
            let found = fault(#"{\#(Self.words), "pre_tokenizer": \#(split)}"#, encoding: text)
            #expect(
                found.contains("takes too many steps on this text") || found == "[0]" || found == "[0, 0]",
                "\(pattern): \(found)")
        }
    }

    /// The library subtracts without a look, and ends.
    @Test func refusesSpecialTokensThatLeaveNoRoom() {
        let element = #"{"SpecialToken": {"id": "a", "type_id": 0}}"#
        let elements = Array(repeating: element, count: 300).joined(separator: ",")
        let json = #"""
            {\#(Self.words), "post_processor": {"type": "TemplateProcessing", "single": [\#(elements)], "pair": [],
             "special_tokens": {"a": {"ids": [1]}}}}
            """#
        #expect(
            fault(json, maximum: 128)
                == "tokenizer.json: its post_processor adds 300 tokens to an example, and at most 128 fit")
    }

    /// As many added tokens as a text holds, each with all the white space around it.
    @Test func takesAddedTokensInLinearTime() throws {
        let added = #"[{"id": 2, "content": "<m>", "lstrip": true, "rstrip": true, "normalized": false}]"#
        let tokenizer = try Tokenizer(json: Array(#"{\#(Self.words), "added_tokens": \#(added)}"#.utf8))
        let text = String(repeating: "<m>", count: 20_000) + String(repeating: " \u{2003}", count: 20_000) + "<m>"
        #expect(try tokenizer.ids(of: text).count == 20_001)
    }

    /// The last of several of a name counts, as for the library; ids may leave gaps, and two tokens may have one.
    @Test func readsVocabularyAsTheLibraryDoes() throws {
        let json = #"""
            {"pre_tokenizer": {"type": "WhitespaceSplit"}, "model": {"type": "WordLevel", "unk_token": "?",
             "vocab": {"?": 0, "a": 1, "a": 7, "b": 900000, "c": 7, "": 3}}}
            """#
        let tokenizer = try Tokenizer(json: Array(json.utf8))
        #expect(try tokenizer.ids(of: "a b c d") == [7, 900_000, 7, 0])
        #expect(tokenizer.token(5) == nil && tokenizer.token(900_000) == "b")
    }

    /// Each merge makes a longer token, so that merges that name each other's come to an end.
    @Test func mergesInCyclesEnd() throws {
        let json = #"""
            {"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "ba": 3, "aba": 4, "bab": 5, "##": 6},
             "continuing_subword_prefix": "", "merges": ["a b", "b a", "ab a", "b ab", "a ba", "ba b"]}}
            """#
        let tokenizer = try Tokenizer(json: Array(json.utf8))
        let ids = try tokenizer.ids(of: String(repeating: "ab", count: 5_000))
        #expect(ids.count < 10_000 && ids.allSatisfy { (0...5).contains($0) })
    }

    @Test func takesLongWordsWithoutSpaces() throws {
        let text = String(repeating: "a", count: 1 << 16)
        let pieces = #"{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["?", 0], ["a", -1], ["aa", -1.5]]}}"#
        #expect(try Tokenizer(json: Array(pieces.utf8)).ids(of: text).count == 1 << 15)
        let merges = #"{"model": {"type": "BPE", "vocab": {"a": 0, "aa": 1}, "merges": [["a", "a"]]}}"#
        #expect(try Tokenizer(json: Array(merges.utf8)).ids(of: text).count == 1 << 15)
        let greedy = #"{"model": {"type": "WordPiece", "unk_token": "?", "vocab": {"?": 0, "a": 1}}}"#
        #expect(try Tokenizer(json: Array(greedy.utf8)).ids(of: text) == [0])
    }
}
