import Files
import Foundation

/// The files of a folder that say how text becomes token ids, as far as they are there.
struct TokenizerFiles {
    static let fast = "tokenizer.json"
    private static let configuration = "tokenizer_config.json"
    private static let specialTokens = "special_tokens_map.json"
    private static let addedTokens = "added_tokens.json"
    private static let template = "chat_template.jinja"
    private static let oldTemplate = "chat_template.json"
    /// Vocabularies of tokenizers that are not fast ones.
    static let slow: Set = [
        "vocab.json", "vocab.txt", "merges.txt", "bpe.codes", "dict.txt", "tokenizer.model", "spiece.model",
        "spm.model",
        "spm_char.model", "sentencepiece.model", "sentencepiece.bpe.model", "prophetnet.tokenizer", "source.spm",
        "target.spm", "vocab-src.json", "vocab-tgt.json", "target_vocab.json", "entity_vocab.json", "emoji.json",
        "byte_maps.json", "normalizer.json", "word_shape.json", "word_pronunciation.json", "tekken.json",
        "qwen.tiktoken",
    ]
    /// All of them.
    static var names: Set<String> {
        slow.union([fast, configuration, specialTokens, addedTokens, template, oldTemplate])
    }

    /// Keys of `tokenizer_config.json` that change token ids.
    static let options: Set = [
        "add_bos_token", "add_eos_token", "add_prefix_space", "byte_fallback", "do_basic_tokenize", "do_lower_case",
        "keep_accents", "remove_space", "split_special_tokens", "strip_accents", "tokenize_chinese_chars",
    ]
    /// What a tokenizer does where its file does not say it.
    private static let defaults: [String: JSONValue] = [
        "add_eos_token": .bool(false), "do_basic_tokenize": .bool(true), "keep_accents": .bool(false),
        "remove_space": .bool(true), "split_special_tokens": .bool(false), "strip_accents": .null,
        "tokenize_chinese_chars": .bool(true),
    ]
    /// Classes that go by tokenizer.json alone.
    private static let plainClasses: Set = ["PreTrainedTokenizerFast", "TokenizersBackend"]

    /// An option by its default where the file does not say it and the class would read it; nil where nothing is known.
    func option(_ key: String) -> JSONValue? {
        if let value = settings[key] { return value }
        let isPlain = settings["tokenizer_class"]?.text.map(Self.plainClasses.contains) ?? true
        return isPlain ? nil : Self.defaults[key]
    }

    static let namesOfTokens = [
        "bos_token", "cls_token", "eos_token", "mask_token", "pad_token", "sep_token", "unk_token",
    ]

    /// The parts of `tokenizer.json` that change ids, without its vocabulary; nil without the file.
    private(set) var pipeline: [String: JSONValue]?
    /// Every token of `tokenizer.json` with its id, the added ones of other files among them; nil where no file has
    /// any.
    private(set) var tokens: [String: Int]?
    /// How added tokens are found in a text.
    private(set) var flags: [String: [Bool]] = [:]
    /// By name, what tells the content of a slow tokenizer's files.
    private(set) var vocabularies: [String: Int] = [:]
    /// Tokens of `added_tokens.json`, which tokenizers without a `tokenizer.json` have beyond their vocabulary, but the
    /// marks of T5 that its tokenizer adds itself.
    private(set) var beyond: Set<String> = []
    /// Added tokens of every file.
    private var all: Set<String> = []
    /// `tokenizer_config.json`, and the special tokens of the file for them.
    private(set) var settings: [String: JSONValue] = [:]
    private(set) var template: String?
    /// Reads the files that `read` finds. Throws what it throws, and where a file is not what its name says.
    init(_ read: (String) throws(AdmissionFault) -> [UInt8]?) throws(AdmissionFault) {
        for name in Self.slow.sorted() {
            guard let bytes = try read(name) else { continue }
            vocabularies[name] = Self.identity(of: bytes, name)
        }
        for name in [Self.specialTokens, Self.configuration] {
            guard let values = try Self.object(name, read) else { continue }
            settings.merge(values) { $1 }
        }
        if let values = try Self.object(Self.fast, read) { takeFast(values) }
        takeAddedTokens(try Self.object(Self.addedTokens, read))
        try takeTemplate(read)
    }

    private static func object(
        _ name: String, _ read: (String) throws(AdmissionFault) -> [UInt8]?
    ) throws(AdmissionFault) -> [String: JSONValue]? {
        guard let bytes = try read(name) else { return nil }
        return try JSONValue.members(upload: bytes, called: name, code: "not-what-it-claims")
    }

    private mutating func takeFast(_ values: [String: JSONValue]) {
        var model = values["model"]?.members ?? [:]
        var tokens: [String: Int] = [:]
        switch model.removeValue(forKey: "vocab") {
        case .object(let ids)?: tokens = ids.compactMapValues(\.integer)
        case .array(let pieces)?:
            for (id, piece) in pieces.enumerated() {
                guard let token = piece.elements.first?.text else { continue }
                tokens[token] = id
            }
            model["scores"] = .integer(pieces.map { $0.elements.last?.double ?? 0 }.hashValue)
        default: break
        }
        if let merges = model.removeValue(forKey: "merges") {
            let pairs = merges.elements.map { $0.text ?? $0.elements.compactMap(\.text).joined(separator: " ") }
            model["merges"] = .integer(pairs.hashValue)
        }
        model["dropout"] = nil
        for added in values["added_tokens"]?.elements ?? [] {
            guard let token = added.members["content"]?.text, let id = added.members["id"]?.integer else { continue }
            tokens[token] = id
            flags[token] = ["lstrip", "rstrip", "single_word"].map { added.members[$0] == .bool(true) }
        }
        self.tokens = tokens
        var pipeline = ["normalizer", "pre_tokenizer", "post_processor"].reduce(into: [String: JSONValue]()) {
            $0[$1] = values[$1].flatMap(TokenizerPipeline.plain)
        }
        pipeline["model"] = TokenizerPipeline.plain(.object(model))
        self.pipeline = TokenizerPipeline.unified(pipeline)
    }

    /// Tokens of `added_tokens.json` and of `added_tokens_decoder`.
    private mutating func takeAddedTokens(_ values: [String: JSONValue]?) {
        var added = (values ?? [:]).compactMapValues(\.integer)
        beyond = Set(added.keys.filter { !$0.hasPrefix("<extra_id_") })
        for (id, token) in settings["added_tokens_decoder"]?.members ?? [:] {
            guard let text = token.members["content"]?.text, let id = Int(id) else { continue }
            added[text] = id
        }
        all = Set(added.keys)
        guard tokens != nil, !added.isEmpty else { return }
        tokens?.merge(added) { $1 }
    }

    private mutating func takeTemplate(_ read: (String) throws(AdmissionFault) -> [UInt8]?) throws(AdmissionFault) {
        var text = settings["chat_template"].flatMap { value in
            value.text ?? value.elements.first { $0.members["name"] == "default" }?.members["template"]?.text
        }
        if let value = try Self.object(Self.oldTemplate, read)?["chat_template"]?.text { text = value }
        if let bytes = try read(Self.template) { text = String(decoding: bytes, as: UTF8.self) }
        template = text.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
    }

    /// Whether a token is among the added ones, has a name in the settings, or is in `tokenizer.json`.
    func knows(_ token: String) -> Bool {
        all.contains(token) || tokens?[token] != nil
            || settings.values.contains { $0.text == token || $0.members["content"]?.text == token }
    }

    /// Whether the tokenizer itself puts the token into texts.
    static func isWritten(_ key: String, _ own: TokenizerFiles, _ base: TokenizerFiles) -> Bool {
        switch key {
        case "bos_token": [own, base].contains { $0.settings["add_bos_token"] == .bool(true) }
        case "eos_token": [own, base].contains { $0.settings["add_eos_token"] == .bool(true) }
        case "cls_token", "sep_token", "unk_token": true
        default: false
        }
    }

    /// Whether two values of an option mean the same. Without `strip_accents` it is as `do_lower_case` says.
    static func areEqual(_ first: JSONValue, _ second: JSONValue, _ key: String) -> Bool {
        first == second || key != "strip_accents" && first.isOff && second.isOff
    }

    /// A number that tells contents apart within one run; of texts without what ends a line.
    private static func identity(of bytes: [UInt8], _ name: String) -> Int {
        guard name.hasSuffix(".txt") || name.hasSuffix(".codes") else {
            guard name.hasSuffix(".json") else { return bytes.hashValue }
            return (try? JSONValue(parsing: bytes, .python))?.hashValue ?? bytes.hashValue
        }
        let lines = bytes.split { $0 == 0x0A || $0 == 0x0D }
        return lines.filter { !$0.starts(with: "#version".utf8) }.hashValue
    }
}
