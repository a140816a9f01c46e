extension PreTokenizer {
    /// GPT-2's: contractions, letters, numbers and other characters with a space before them, white space.
    private static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    init(_ component: Component) throws(TokenizerError) {
        switch component.type {
        case "Sequence":
            var steps: [PreTokenizer] = []
            for step in try component.components("pretokenizers") { steps.append(try PreTokenizer(step)) }
            self = .sequence(steps)
        case "BertPreTokenizer": self = .bert
        case "Whitespace": self = .whitespace
        case "WhitespaceSplit": self = .whitespaceSplit
        case "Punctuation": self = .punctuation(try component.behavior(default: .isolated))
        case "Digits": self = .digits(individually: try component.bool("individual_digits", default: false))
        case "CharDelimiterSplit":
            self = .split(Pattern(literal: try component.character("delimiter")), .removed, isInverted: false)
        case "Split":
            self = .split(
                try component.pattern("pattern"), try component.behavior(),
                isInverted: try component.bool("invert", default: false))
        case "ByteLevel":
            self = .byteLevel(
                addsPrefixSpace: try component.bool("add_prefix_space", default: true),
                pattern: try component.bool("use_regex", default: true) ? try Pattern(regex: Self.gpt2) : nil)
        case "Metaspace": self = .metaspace(try component.metaspace())
        default: throw component.unsupported
        }
    }
}

extension Component {
    func behavior(default fallback: SplitBehavior? = nil) throws(TokenizerError) -> SplitBehavior {
        let name = try string("behavior", default: fallback?.rawValue)
        guard let behavior = SplitBehavior(rawValue: name) else {
            throw mismatch(
                "behavior", "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous", .string(name))
        }
        return behavior
    }

    /// `prepend_scheme`, or `add_prefix_space` of older files.
    func metaspace() throws(TokenizerError) -> PreTokenizer.Metaspace {
        let older = try bool("add_prefix_space", default: true) ? "always" : "never"
        let scheme = try string("prepend_scheme", default: older)
        guard let prefix = PreTokenizer.Metaspace.Prefix(rawValue: scheme) else {
            throw mismatch("prepend_scheme", "always, never or first", .string(scheme))
        }
        return PreTokenizer.Metaspace(
            replacement: Array(try character("replacement", default: "▁").utf8), prefix: prefix,
            splits: try bool("split", default: true))
    }
}
