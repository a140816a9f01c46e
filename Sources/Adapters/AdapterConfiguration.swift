internal import Files
internal import Safetensors

/// What `adapter_config.json` says about the arithmetic of an adapter. The base's name in it is free text that decides
/// nothing.
package struct AdapterConfiguration: Hashable, Sendable {
    package enum Kind: String, Sendable {
        /// Low-rank adaptation (Hu et al., arXiv 2106.09685).
        case lora = "LORA"
        /// Learned vectors that scale activations (Liu et al., arXiv 2205.05638).
        case ia3 = "IA3"
    }

    package static let fileName = "adapter_config.json"
    /// Bytes that a configuration may have.
    package static let longest = 1 << 20

    package let kind: Kind
    /// `r`, for the modules that `rank_pattern` does not name.
    package let rank: Int
    /// Ranks that `rank_pattern` allows beside it; which one holds where, the tensors say.
    package let patternRanks: Set<Int>
    /// `lora_alpha`, for the modules that no pattern of `alphaPattern` names.
    package let alpha: Double
    /// In the order of the file: PEFT takes the first that matches.
    package let alphaPattern: [AlphaPattern]
    /// Rank-stabilised: scaled by α/√r (Kalajdzievski, arXiv 2312.03732).
    package let isRankStabilised: Bool
    /// Weights are stored transposed, [in, out], as in GPT-2. Decides where both lengths are equal.
    package let isTransposed: Bool
    /// `ensure_weight_tying`: what changes one of two tied modules changes the other.
    package let tiesWeights: Bool
    /// `base_model_name_or_path`, which is free text and decides nothing.
    package let baseName: String?
    /// Suffixes of modules whose vectors scale inputs; nil where it is a regular expression.
    package let feedforward: [String]?

    /// Parses the file's content. Throws `unsupported` with the key that asks for what is not a plain LoRA or (IA)³.
    package init(_ bytes: [UInt8]) throws(AdapterError) {
        let values: [String: JSONValue]
        do throws(JSONCursor.Fault) {
            values = try JSONValue.members(parsing: bytes, .python)
        } catch {
            throw .malformed("\(Self.fileName): \(error.reason); save the adapter again with save_pretrained")
        }
        try self.init(values, bytes)
    }

    private init(_ values: [String: JSONValue], _ bytes: [UInt8]) throws(AdapterError) {
        guard case .string(let type)? = values["peft_type"] else {
            throw .malformed("\(Self.fileName) has no `peft_type`; save the adapter again with save_pretrained")
        }
        guard let kind = Kind(rawValue: type) else {
            throw .unsupported(
                "`peft_type` is \(shown(type)), and only LORA and IA3 are sums onto the base's weights that can be "
                    + "merged; "
                    + (Self.convertibleKinds.contains(type)
                        ? Self.conversion : "train one of those, or upload full weights"))
        }
        self.kind = kind
        try Self.checkKeys(values, of: kind)
        let reader = ConfigurationReader(values: values)
        isTransposed = try reader.flag("fan_in_fan_out")
        tiesWeights = try reader.flag("ensure_weight_tying")
        baseName = if case .string(let name)? = values["base_model_name_or_path"] { name } else { nil }
        guard kind == .lora else {
            (rank, patternRanks, alpha, alphaPattern, isRankStabilised) = (1, [], 1, [], false)
            feedforward = try reader.names("feedforward_modules")
            return
        }
        feedforward = []
        guard let rank = Int(exactly: try reader.number("r") ?? 8), rank > 0 else {
            throw .malformed("`r` of \(Self.fileName) is not a positive whole number")
        }
        self.rank = rank
        patternRanks = Set(try reader.numbers("rank_pattern").values.compactMap { Int(exactly: $0) })
        alpha = try reader.number("lora_alpha") ?? 8
        isRankStabilised = try reader.flag("use_rslora")
        alphaPattern = try Self.patterns(try reader.numbers("alpha_pattern"), bytes)
    }

    private static func patterns(
        _ values: [String: Double], _ bytes: [UInt8]
    ) throws(AdapterError) -> [AlphaPattern] {
        guard !values.isEmpty else { return [] }
        // The whole text has been parsed already.
        let keys = (try? JSONKeys.inOrder(under: "alpha_pattern", bytes)) ?? []
        var patterns: [AlphaPattern] = []
        for key in keys {
            guard let alpha = values[key] else { continue }
            guard let pattern = ModulePattern(key) else {
                throw .unsupported(
                    "`alpha_pattern` has `\(shown(key))`, a regular expression that can't be resolved against the "
                        + "base; write the modules' names, or an expression without lookaround, references, flags and "
                        + "possessive repetition")
            }
            patterns.append(AlphaPattern(pattern: pattern, alpha: alpha))
        }
        return patterns
    }

    /// s of s·B·A for a module with a factor of `rank` rows.
    func scale(of module: String, rank: Int) -> Double {
        let alpha = alphaPattern.first { $0.pattern.matches(module) }?.alpha ?? alpha
        return alpha / (isRankStabilised ? Double(rank).squareRoot() : Double(rank))
    }
}
