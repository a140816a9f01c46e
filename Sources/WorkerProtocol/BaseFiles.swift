internal import Files

/// Which files of a base model a release passes on besides weights. Admission and publishing go by this one list, so that
/// what is passed on has been read and hashed, and what publishing would refuse never starts a merge.
package enum BaseFiles {
    /// Names, and whether the file is JSON that can name Python code which a server would run.
    package static let allowed: [(name: String, mayNameCode: Bool)] = [
        ("config.json", true), ("generation_config.json", true), ("preprocessor_config.json", true),
        ("processor_config.json", true), ("image_processor_config.json", true),
        ("video_preprocessor_config.json", true),
        ("tokenizer_config.json", true), ("special_tokens_map.json", true), ("chat_template.json", true),
        ("tokenizer.json", false), ("added_tokens.json", false), ("vocab.json", false), ("vocab.txt", false),
        ("merges.txt", false), ("bpe.codes", false), ("tokenizer.model", false), ("spiece.model", false),
        ("sentencepiece.bpe.model", false), ("source.spm", false), ("target.spm", false),
        ("chat_template.jinja", false),
        ("LICENSE", false), ("LICENSE.txt", false), ("LICENSE.md", false), ("NOTICE", false), ("NOTICE.txt", false),
        ("graph.pt2", false),
    ]

    /// Longest of the files that may name code, in bytes.
    package static let longestConfiguration = 16 << 20

    /// What is wrong with the content of a file that may name code.
    package enum Fault: Hashable, Sendable {
        case notJSON(reason: String)
        /// A key whose code some servers run, whatever they are told about trusting it.
        case namesCode(key: String)
    }

    /// Looks for such a key at any depth; nil where nothing is wrong.
    package static func fault(in configuration: [UInt8]) -> Fault? {
        var cursor = JSONCursor(configuration, allowsNonFinite: true)
        var codeKey: String?
        do throws(JSONCursor.Fault) {
            try cursor.skipValue { key in if key == "auto_map" || key == "custom_pipelines" { codeKey = key } }
            try cursor.expectEnd()
        } catch {
            return .notJSON(reason: error.reason)
        }
        return codeKey.map { .namesCode(key: $0) }
    }
}
