internal import Files
package import Tokenizers
internal import WorkerProtocol

/// What the files of a base say about how its texts are encoded.
package struct ExampleFolder: Sendable {
    package var tokenizer: Tokenizer
    /// Most tokens that the model takes.
    private var longest: Int
    package var padding: Int
    package var end: Int?
    /// The token that a question without an answer is answered by.
    private(set) var classification: Int?
    /// Whether sentence-transformers lower-cases texts before the tokenizer does anything.
    private(set) var isLowercased: Bool
    /// Source of the chat template; nil where the base has none.
    private var template: String?
    /// Special tokens by the names that templates know.
    private var specialTokens: [String: String]

    /// Most tokens where no file says less.
    private static let defaultMaximum = 1024
    private static let countsFromPadding: Set = [
        "roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "roberta-prelayernorm", "data2vec-text", "mpnet",
        "longformer", "ibert", "luke", "xmod",
    ]

    /// `contents`: name → bytes of tokenizer.json, tokenizer_config.json and config.json, as far as they are there.
    package init(_ contents: [String: [UInt8]]) throws(ExamplesError) {
        guard let bytes = contents["tokenizer.json"] else {
            throw .tokenizer(
                "the base has no tokenizer.json, which encodes examples from text: save the base with a fast "
                    + "tokenizer, or provide validation.safetensors")
        }
        do {
            tokenizer = try Tokenizer(json: bytes)
        } catch {
            throw .tokenizer("the base's \(error)")
        }
        let tokens = try BaseFile.members("tokenizer_config.json", contents, ExamplesError.tokenizer)
        let configuration = try BaseFile.members("config.json", contents, ExamplesError.tokenizer)
        let ofConfiguration = (
            padding: try Self.id("pad_token_id", configuration), end: try Self.id("eos_token_id", configuration)
        )
        let padding = Self.id(tokens["pad_token"], tokenizer) ?? ofConfiguration.padding ?? 0
        let positions = Self.whole(configuration["max_position_embeddings"] ?? configuration["n_positions"])
        // Where positions are counted from behind the padding's, the first ones are for no token.
        let unused = Self.countsFromPadding.contains(configuration["model_type"]?.text ?? "") ? padding + 1 : 0
        let sentences = try BaseFile.members(ExampleRequest.sentenceSettings, contents, ExamplesError.tokenizer)
        isLowercased = sentences["do_lower_case"] == .bool(true)
        let limits = [
            Self.whole(tokens["model_max_length"]), positions.map { max($0, 0) - unused },
            Self.whole(sentences["max_seq_length"]),
        ]
        longest = limits.compactMap(\.self).filter { $0 > 0 }.min() ?? Self.defaultMaximum
        self.padding = padding
        template = try Self.template(contents, tokens)
        let others = try BaseFile.members("special_tokens_map.json", contents, ExamplesError.tokenizer)
        specialTokens = others.merging(tokens) { $1 }.compactMapValues(Self.content).filter {
            $0.key.hasSuffix("_token")
        }
        classification = Self.id(tokens["cls_token"] ?? tokens["bos_token"], tokenizer)
        end = Self.id(tokens["eos_token"], tokenizer) ?? ofConfiguration.end
    }

    /// Most tokens of an example: what the task asks for, or else what tokenizer.json truncates to, but no more than
    /// the model takes.
    package func maximum(_ wanted: Int?) -> Int { min(longest, wanted ?? tokenizer.truncation ?? longest) }

    /// The template of chat_template.jinja, or else of tokenizer_config.json; of several the one called default.
    private static func template(
        _ contents: [String: [UInt8]], _ tokens: [String: JSONValue]
    ) throws(ExamplesError) -> String? {
        if let bytes = contents["chat_template.jinja"] {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw .tokenizer("the base's chat_template.jinja is not UTF-8")
            }
            return text
        }
        switch tokens["chat_template"] {
        case .string(let text)?: return text
        case .array(let named)?:
            return named.lazy.map(\.members).first { $0["name"] == "default" }?["template"]?.text
        default: return nil
        }
    }

    /// The base's chat template. Throws where it has none, or one that is not understood.
    func chatTemplate() throws(ExamplesError) -> ChatTemplate {
        guard let template else {
            throw .tokenizer(
                "the base has no chat template (chat_template.jinja, or chat_template of tokenizer_config.json), by "
                    + "which conversations become text: add the template that its fine-tunes were trained with")
        }
        do {
            return try ChatTemplate(template, tokens: specialTokens)
        } catch {
            throw .tokenizer("the base's \(error)")
        }
    }

    /// The text of a token that is written as a text or as an added token.
    private static func content(_ value: JSONValue) -> String? { value.text ?? value.members["content"]?.text }

    /// A whole number, also one that Python wrote as a float; transformers writes 1e30 for no limit.
    private static func whole(_ value: JSONValue?) -> Int? {
        switch value {
        case .integer(let value)?: value
        case .number(let value)?: Int(exactly: value.rounded())
        default: nil
        }
    }

    /// Ids that config.json may name are below it.
    private static let largestID = 1 << 24

    /// An id that config.json says; nil where it says none, also by a negative one or a list.
    private static func id(_ key: String, _ configuration: [String: JSONValue]) throws(ExamplesError) -> Int? {
        guard let id = whole(configuration[key]), id >= 0 else { return nil }
        guard id < largestID else {
            throw .tokenizer(
                "the base's config.json: invalid `\(key)`: \(id); expected the id of a token, below \(largestID)")
        }
        return id
    }

    private static func id(_ value: JSONValue?, _ tokenizer: Tokenizer) -> Int? {
        value.flatMap(content).flatMap { tokenizer.id(of: $0) }
    }
}
