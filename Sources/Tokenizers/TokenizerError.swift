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
    /// A component that makes more bytes of a text than `TextLimit` allows; its path.
    case tooLong(component: String, limit: Int)
    /// More special tokens around a text than an example may have tokens.
    case noRoom(added: Int, maximum: Int)
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
        case .tooLong(let component, let limit):
            "tokenizer.json: its \(component) makes more than \(limit >> 20) MiB of this text; use the "
                + "tokenizer.json that the base was trained with"
        case .noRoom(let added, let maximum):
            "tokenizer.json: its post_processor adds \(added) tokens to an example, and at most \(maximum) fit"
        case .noOffsets:
            "tokenizer.json: the normalizer moves characters of this text, so that no token has a place in it; leave "
                + "the example out"
        }
    }
}

/// Bounds what steps of a file that repeat each other can make of a text.
struct TextLimit {
    /// Times as long as it was. Compatibility composition makes 18 characters of one.
    private static let growth = 64
    /// Bytes that any text may become, and that none may exceed: twice the largest table of examples.
    private static let least = 1 << 20
    private static let most = 128 << 20

    private let component: String
    private let bytes: Int

    /// `component`: its path in the file. `count`: bytes of the text before.
    init(_ component: String, of count: Int) {
        self.component = component
        bytes = min(Self.most, max(Self.least, Self.growth * min(count, Self.most)))
    }

    func check(_ count: Int) throws(TokenizerError) {
        guard count <= bytes else { throw .tooLong(component: component, limit: bytes) }
    }

    /// Before matches of a pattern are replaced.
    func check(_ matches: [Range<Int>], by content: String) throws(TokenizerError) {
        guard !matches.contains(where: \.isEmpty) else {
            throw .unsupported(component: component, name: "a pattern that matches no character")
        }
        let (added, overflow) = matches.count.multipliedReportingOverflow(by: content.utf8.count)
        try check(overflow ? .max : added)
    }
}
