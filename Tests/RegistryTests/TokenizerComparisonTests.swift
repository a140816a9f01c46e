import Files
import Foundation
import Testing

@testable import Tasks

/// Which differences between two `tokenizer.json` give texts other ids.
struct TokenizerComparisonTests {
    private struct Changes: Decodable {
        struct Change: Decodable {
            var base: String
            var parts: [String: JSONValue]
            var differs: Bool
        }

        var bases: [String: [String: JSONValue]]
        var changes: [Change]
    }

    private static func files(_ values: [String: JSONValue]) throws -> TokenizerFiles {
        let bytes = Array(try JSONEncoder().encode(values))
        return try TokenizerFiles { name throws(AdmissionFault) in name == TokenizerFiles.fast ? bytes : nil }
    }

    /// Ids of the tokenizers library (`Tools/make_tokenizer_fixtures.py`).
    @Test func agreesWithTheIdsOfTheLibrary() throws {
        let path = Bundle.module.bundlePath + "/Fixtures/tokenizers.json"
        let changes = try JSONDecoder().decode(Changes.self, from: Data(contentsOf: URL(filePath: path)))
        #expect(changes.changes.count > 20)
        for change in changes.changes {
            let base = try #require(changes.bases[change.base])
            let own = base.merging(change.parts) { $1 }
            let found = try TokenizerComparison(Self.files(own), base: Self.files(base))
            #expect(found.faults.isEmpty != change.differs, "\(change.base) \(change.parts.keys) \(found)")
        }
    }

    /// SentencePiece's spaces, as versions 4 and 5 of transformers write them for Llama.
    @Test func knowsTwoWritingsOfTheSamePipeline() throws {
        let model: JSONValue = .object(["type": "BPE", "vocab": .object(["a": 0]), "merges": .array([])])
        let old: [String: JSONValue] = [
            "model": model,
            "normalizer": .object([
                "type": "Sequence",
                "normalizers": .array([
                    .object(["type": "Prepend", "prepend": "▁"]),
                    .object(["type": "Replace", "pattern": .object(["String": " "]), "content": "▁"]),
                ]),
            ]),
        ]
        let new: [String: JSONValue] = [
            "model": model,
            "pre_tokenizer": .object([
                "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": false,
            ]),
        ]
        let found = try TokenizerComparison(Self.files(old), base: Self.files(new))
        #expect(found.faults == [])
    }

    /// An option that one of the two leaves to its class counts by what the class does then.
    @Test(arguments: [
        (
            #"{"tokenizer_class": "BertTokenizer", "strip_accents": false}"#, #"{"tokenizer_class": "BertTokenizer"}"#,
            true
        ),
        (
            #"{"tokenizer_class": "BertTokenizer"}"#,
            #"{"tokenizer_class": "BertTokenizer", "tokenize_chinese_chars": false}"#, true
        ),
        (
            #"{"tokenizer_class": "LlamaTokenizer", "add_eos_token": true}"#, #"{"tokenizer_class": "LlamaTokenizer"}"#,
            true
        ),
        (
            #"{"tokenizer_class": "LlamaTokenizer", "add_eos_token": false}"#,
            #"{"tokenizer_class": "LlamaTokenizer"}"#, false
        ),
        (
            #"{"tokenizer_class": "BertTokenizer", "strip_accents": null}"#, #"{"tokenizer_class": "BertTokenizer"}"#,
            false
        ),
        (
            #"{"tokenizer_class": "TokenizersBackend", "add_eos_token": true}"#,
            #"{"tokenizer_class": "TokenizersBackend"}"#, false
        ),
    ]) func countsOptionsThatAreNotStated(own: String, base: String, differs: Bool) throws {
        let read = { (settings: String) in
            try TokenizerFiles { name throws(AdmissionFault) in
                name == "tokenizer_config.json" ? Array(settings.utf8) : nil
            }
        }
        let found = try TokenizerComparison(read(own), base: read(base))
        #expect(found.faults.isEmpty != differs, "\(found)")
    }

    @Test func takesATokenThatOnlyPads() throws {
        let read = { (text: String, settings: String) in
            try TokenizerFiles { name throws(AdmissionFault) in
                switch name {
                case TokenizerFiles.fast: Array(text.utf8)
                case "tokenizer_config.json": Array(settings.utf8)
                default: nil
                }
            }
        }
        let base = #"{"model": {"type": "BPE", "vocab": {"a": 0}}, "added_tokens": []}"#
        let padded = base.replacingOccurrences(of: "[]", with: #"[{"id": 1, "content": "<pad>"}]"#)
        let found = try TokenizerComparison(read(padded, #"{"pad_token": "<pad>"}"#), base: read(base, "{}"))
        #expect(found.faults == [] && found.warnings.contains { $0.contains("`<pad>`") }, "\(found)")
        let other = try TokenizerComparison(read(padded, #"{"eos_token": "<pad>"}"#), base: read(base, "{}"))
        #expect(!other.faults.isEmpty)
    }
}
