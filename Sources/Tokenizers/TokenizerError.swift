internal import Files

/// Why a tokenizer.json can't be used.
package enum TokenizerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It is not the JSON that the format has; where and what is expected.
    case malformed(String)
    /// A component, or an option of one, that this module does not implement; its path and its name in the file.
    case unsupported(component: String, name: String)
    /// A pattern that PCRE2 does not compile.
    case pattern(String, reason: String)
    /// A text on which a pattern exceeds the match limit.
    case tooComplex(pattern: String)
    /// A text that the normalizer changes in a way that leaves no place for its tokens in it.
    case noOffsets

    package var description: String {
        switch self {
        case .malformed(let reason): "tokenizer.json: \(shown(reason))"
        case .unsupported(let component, let name):
            "tokenizer.json: unsupported \(shown(component)) '\(shown(name))'; provide validation.safetensors instead "
                + "of text"
        case .pattern(let pattern, let reason): "tokenizer.json: invalid pattern '\(shown(pattern))': \(shown(reason))"
        case .tooComplex(let pattern):
            "tokenizer.json: the pattern '\(shown(pattern))' takes too many steps on this text"
        case .noOffsets:
            "tokenizer.json: the normalizer moves characters of this text, so that no token has a place in it; leave "
                + "the example out"
        }
    }
}
