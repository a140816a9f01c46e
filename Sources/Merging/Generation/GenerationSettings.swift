internal import Files

/// What a base's `generation_config.json` (or, where it has none, its `config.json`) says of greedy decoding, with the
/// meaning that it has for transformers' `generate(do_sample=False, num_beams=1)`.
struct GenerationSettings: Hashable, Sendable {
    /// Tokens that end a text.
    var ends: Set<Int64> = []
    var padding: Int64 = 0
    /// Most tokens that the model takes, prompt included; nil: no limit.
    var longest: Int?
    var rules = TokenRules()

    private static let names = ["generation_config.json", "config.json"]
    private static let limit = 16 << 20
    /// Keys that change which token is the most likely one and that are not read here, with the values at which they
    /// change nothing.
    private static let unread: [String: [JSONValue]] = [
        "bad_words_ids": [.null], "sequence_bias": [.null], "guidance_scale": [.null, .integer(1), .number(1)],
        "encoder_repetition_penalty": [.null, .integer(1), .number(1)],
        "encoder_no_repeat_ngram_size": [.null, .integer(0)], "exponential_decay_length_penalty": [.null],
        "watermarking_config": [.null], "penalty_alpha": [.null], "dola_layers": [.null],
        "forced_decoder_ids": [.null],
    ]

    init() {}

    /// What the files of a folder say. Throws where they ask for something that is not read here.
    init(base directory: String) throws {
        var files: [[String: JSONValue]] = []
        for name in Self.names {
            let path = "\(directory)/\(name)"
            guard try FileStatus.ifPresent(path, followingLinks: true) != nil else { continue }
            let bytes = try ReadableFile(path: path, followingLinks: true).contents(limit: Self.limit)
            guard let members = try? JSONValue.members(parsing: bytes, .python) else { continue }
            files.append(members)
            for nested in ["text_config", "decoder"] where name == "config.json" {
                if let inner = members[nested]?.members { files.append(inner) }
            }
        }
        guard let first = files.first else { return }
        if let key = Self.unread.keys.sorted().first(where: { key in
            first[key].map { Self.unread[key]?.contains($0) != true } ?? false
        }) {
            throw MergeError.base(
                "\(directory): unsupported \(key) in its settings for generation; expected none, because texts are "
                    + "decoded greedily: remove it, or judge the task by another metric")
        }
        func value(_ key: String) -> JSONValue? { files.lazy.compactMap { $0[key] }.first { $0 != .null } }
        ends = Set(Self.tokens(value("eos_token_id")))
        padding = Self.tokens(value("pad_token_id")).first ?? ends.min() ?? 0
        longest = (value("max_position_embeddings") ?? value("n_positions"))?.integer.flatMap { $0 > 0 ? $0 : nil }
        rules = TokenRules(first, ends: ends)
    }

    static func tokens(_ value: JSONValue?) -> [Int64] {
        guard let value else { return [] }
        return (value.integer.map { [$0] } ?? value.elements.compactMap(\.integer)).filter { $0 >= 0 }.map(Int64.init)
    }
}

/// Rules that change the scores of the next token, in the order in which transformers applies them.
struct TokenRules: Hashable, Sendable {
    var repetitionPenalty: Float = 1
    /// Runs of so many tokens occur once; 0: any number of times.
    var unrepeated = 0
    /// Fewest tokens of the whole sequence, and of what is written, before an end may come.
    var minimumLength = 0
    var minimumNew = 0
    /// The token behind a decoder's start, and the one at the last place.
    var forcedFirst: Int64?
    var forcedLast: Int64?
    /// Tokens that never come, and those that don't come first.
    var suppressed: [Int64] = []
    var suppressedFirst: [Int64] = []
    private var ends: Set<Int64> = []

    init() {}

    init(_ values: [String: JSONValue], ends: Set<Int64>) {
        func whole(_ key: String) -> Int { max(0, values[key]?.integer ?? 0) }
        switch values["repetition_penalty"] {
        case .number(let penalty)? where penalty > 0: repetitionPenalty = Float(penalty)
        case .integer(let penalty)? where penalty > 0: repetitionPenalty = Float(penalty)
        default: break
        }
        unrepeated = whole("no_repeat_ngram_size")
        minimumLength = whole("min_length")
        minimumNew = whole("min_new_tokens")
        forcedFirst = GenerationSettings.tokens(values["forced_bos_token_id"]).first
        forcedLast = GenerationSettings.tokens(values["forced_eos_token_id"]).first
        suppressed = GenerationSettings.tokens(values["suppress_tokens"])
        suppressedFirst = GenerationSettings.tokens(values["begin_suppress_tokens"])
        self.ends = ends
    }

    /// Whether the most likely token is always the next one.
    var areIdle: Bool {
        var idle = TokenRules()
        idle.ends = ends
        return self == idle
    }

    /// The next token by the scores of each of the vocabulary. `sequence`: all that is before it, of which the first
    /// `prompt` tokens were given; `maximum`: most tokens to write.
    func next(_ scores: [Float], after sequence: [Int64], prompt: Int, maximum: Int) -> Int64 {
        var scores = scores
        func forbid(_ tokens: some Sequence<Int64>) {
            for token in tokens where scores.indices.contains(Int(token)) { scores[Int(token)] = -.infinity }
        }
        if repetitionPenalty != 1 {
            for token in Set(sequence) where scores.indices.contains(Int(token)) {
                let score = scores[Int(token)]
                scores[Int(token)] = score < 0 ? score * repetitionPenalty : score / repetitionPenalty
            }
        }
        if unrepeated > 0, sequence.count + 1 >= unrepeated { forbid(followers(in: sequence)) }
        let written = sequence.count - prompt
        if sequence.count < minimumLength || written < minimumNew { forbid(ends) }
        if let forcedFirst, sequence.count == 1 { return forcedFirst }
        if let forcedLast, written == maximum - 1 { return forcedLast }
        forbid(suppressed)
        if written == (prompt > 1 || forcedFirst == nil ? 0 : 1) { forbid(suppressedFirst) }
        var best = 0
        for (token, score) in scores.enumerated() where score > scores[best] { best = token }
        return Int64(best)
    }

    /// What followed the last `unrepeated` − 1 tokens wherever they occurred before.
    private func followers(in sequence: [Int64]) -> [Int64] {
        let prefix = sequence.suffix(unrepeated - 1)
        return (0..<max(0, sequence.count - unrepeated + 1)).compactMap { start in
            let end = start + unrepeated - 1
            return sequence[start..<end].elementsEqual(prefix) ? sequence[end] : nil
        }
    }
}
