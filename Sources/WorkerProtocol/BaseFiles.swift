internal import Files

/// Which files of a base model a release passes on besides weights. Admission and publishing go by this one list, so
/// that what is passed on has been read and hashed, and what publishing would refuse never starts a merge.
package enum BaseFiles {
    /// Names, and whether the file is JSON that can name Python code which a server would run: what transformers and
    /// sentence-transformers read from the folder of a model, by their own tables (`VOCAB_FILES_NAMES` of every
    /// tokenizer among them), and its licences.
    package static let allowed: [(name: String, mayNameCode: Bool)] =
        [
            "config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json",
            "image_processor_config.json", "video_preprocessor_config.json", "audio_tokenizer_config.json",
            "tokenizer_config.json", "special_tokens_map.json", "chat_template.json", "modules.json",
            "config_sentence_transformers.json", "sentence_bert_config.json", "sentence_roberta_config.json",
            "sentence_distilbert_config.json", "sentence_camembert_config.json", "sentence_albert_config.json",
            "sentence_xlm-roberta_config.json", "sentence_xlnet_config.json", "router_config.json",
        ].map { ($0, true) }
        + [
            "tokenizer.json", "added_tokens.json", "vocab.json", "vocab.txt", "merges.txt", "bpe.codes", "dict.txt",
            "tokenizer.model", "tiktoken.model", "spiece.model", "spm.model", "spm_char.model",
            "sentencepiece.model", "sentencepiece.bpe.model", "prophetnet.tokenizer", "source.spm", "target.spm",
            "vocab-src.json", "vocab-tgt.json", "target_vocab.json", "entity_vocab.json", "emoji.json",
            "byte_maps.json", "normalizer.json", "word_shape.json", "word_pronunciation.json", "tekken.json",
            "qwen.tiktoken", "chat_template.jinja",
            "LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE", "NOTICE.txt", "USE_POLICY.md", "graph.pt2",
        ].map { ($0, false) }

    package static let tokenizer = "tokenizer.json"

    private static let names = Set(allowed.map(\.name))
    private static let ofCode = Set(allowed.filter(\.mayNameCode).map(\.name))
    /// Chat templates by name, one a file.
    package static let templates = "additional_chat_templates"
    /// Files in the folder of one of sentence-transformers' modules.
    private static let ofModules: Set = [
        "config.json", "idf.json", "model.safetensors", "phrasetokenizer_config.json", "router_config.json",
        "sentence_bert_config.json", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt",
        "whitespacetokenizer_config.json", "wordembedding_config.json",
    ]

    /// Whether files below a subfolder of this name may be passed on: further chat templates, and modules of
    /// sentence-transformers, such as `1_Pooling`.
    package static func isFolder(_ name: String) -> Bool {
        if name == templates { return true }
        let parts = name.split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 && (1...3).contains(parts[0].count) && (1...64).contains(parts[1].count)
            && parts[0].utf8.allSatisfy { (0x30...0x39).contains($0) }
            && parts[1].utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
    }

    /// Whether a release passes on the file at this path below the base's folder.
    package static func isPassedOn(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else { return names.contains(path) || isVersioned(path) }
        guard isFolder(parts[0]), !parts[1].isEmpty else { return false }
        return parts[0] == templates ? parts[1].hasSuffix(".jinja") : ofModules.contains(parts[1])
    }

    /// A fast tokenizer for some versions of transformers, such as `tokenizer.4.0.0.json`, or one of mistral-common,
    /// such as `tokenizer.model.v3`.
    private static func isVersioned(_ name: String) -> Bool {
        let ofMistral = "tokenizer.model.v"
        if name.hasPrefix(ofMistral) {
            let version = name.dropFirst(ofMistral.count)
            return (1...8).contains(version.count) && version.allSatisfy { $0.isASCII && ($0.isNumber || $0 == "m") }
        }
        let (start, end) = ("tokenizer.", ".json")
        guard name.hasPrefix(start), name.hasSuffix(end), name.count > start.count + end.count else { return false }
        return name.dropFirst(start.count).dropLast(end.count).allSatisfy { $0.isASCII && ($0.isNumber || $0 == ".") }
    }

    /// Whether it is JSON that can name code.
    package static func mayNameCode(_ path: String) -> Bool {
        ofCode.contains(path) || path.contains("/") && path.hasSuffix(".json") && !path.hasSuffix("/tokenizer.json")
    }

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
        if codeKey == nil, configuration.count < 1 << 20,
            let value = try? JSONValue(parsing: configuration, .python), namesForeignModule(value)
        {
            codeKey = "type"
        }
        return codeKey.map { .namesCode(key: $0) }
    }

    /// Whether a module of sentence-transformers, which is imported by its name, is of another package.
    private static func namesForeignModule(_ value: JSONValue) -> Bool {
        switch value {
        case .object(let members):
            if case .string? = members["path"], case .string(let type)? = members["type"],
                !type.hasPrefix("sentence_transformers.")
            {
                return true
            }
            return members.values.contains(where: namesForeignModule)
        case .array(let items): return items.contains(where: namesForeignModule)
        default: return false
        }
    }
}
