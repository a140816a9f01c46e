/// Tokens back to a text, as the `decoder` of tokenizer.json names it.
indirect enum TokenDecoder: Sendable {
    case sequence([TokenDecoder])
    case byteLevel
    case wordPiece(prefix: String, cleansUp: Bool)
    case metaspace(replacement: String, stripsFirst: Bool)
    case byteFallback
    case fuse
    case replace(String, with: String)
    case strip(Unicode.Scalar, start: Int, stop: Int)
    case bpe(suffix: String)
    /// Tokens with spaces between them.
    case none

    func text(of tokens: [String]) -> String {
        if case .none = self { return tokens.joined(separator: " ") }
        return apply(tokens).joined()
    }

    private func apply(_ tokens: [String]) -> [String] {
        switch self {
        case .sequence(let steps): return steps.reduce(tokens) { $1.apply($0) }
        case .byteLevel: return [String(decoding: tokens.flatMap(ByteAlphabet.decoded), as: UTF8.self)]
        case .wordPiece(let prefix, let cleansUp):
            return tokens.enumerated().map { index, token in
                var token = token
                if index > 0 {
                    token = token.droppingPrefix(prefix) ?? " " + token
                }
                return cleansUp ? Self.cleanedUp(token) : token
            }
        case .metaspace(let replacement, let stripsFirst):
            return tokens.enumerated().map { index, token in
                let bare = index == 0 && stripsFirst ? token.droppingPrefix(replacement) : nil
                return (bare ?? token).replacingScalars(replacement, with: " ")
            }
        case .byteFallback: return Self.withoutByteTokens(tokens)
        case .fuse: return [tokens.joined()]
        case .replace(let pattern, let content): return tokens.map { $0.replacingScalars(pattern, with: content) }
        case .strip(let character, let start, let stop):
            return tokens.map { token in
                var token = token.unicodeScalars[...]
                let leading = token.prefix { $0 == character }.count
                token = token.dropFirst(min(start, leading))
                let trailing = token.reversed().prefix { $0 == character }.count
                return String(token.dropLast(min(stop, trailing)))
            }
        case .bpe(let suffix):
            return tokens.enumerated().map { $1.replacingScalars(suffix, with: $0 == tokens.count - 1 ? "" : " ") }
        case .none: return tokens
        }
    }

    /// Spaces before punctuation and in English contractions, as transformers takes them out.
    private static func cleanedUp(_ text: String) -> String {
        let rules = [
            (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
            (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
        ]
        return rules.reduce(text) { $0.replacing($1.0, with: $1.1) }
    }

    /// Runs of byte tokens as the text that they spell, or a replacement character for each byte where they spell none.
    private static func withoutByteTokens(_ tokens: [String]) -> [String] {
        var result: [String] = []
        var bytes: [UInt8] = []
        func flush() {
            guard !bytes.isEmpty else { return }
            if let text = String(validating: bytes, as: UTF8.self) {
                result.append(text)
            } else {
                result += bytes.map { _ in "\u{FFFD}" }
            }
            bytes = []
        }
        for token in tokens {
            if let byte = ByteToken.byte(of: Array(token.utf8)) {
                bytes.append(byte)
            } else {
                flush()
                result.append(token)
            }
        }
        flush()
        return result
    }
}

/// By code points: Swift's characters join a token's first mark with what stands before it.
extension String {
    /// Without `prefix`; nil where it does not begin so.
    fileprivate func droppingPrefix(_ prefix: String) -> String? {
        guard utf8.starts(with: prefix.utf8) else { return nil }
        return String(decoding: utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    }

    fileprivate func replacingScalars(_ part: String, with content: String) -> String {
        guard !part.isEmpty else { return self }
        let bytes = Array(utf8).replacing(Array(part.utf8), with: Array(content.utf8))
        return String(decoding: bytes, as: UTF8.self)
    }
}
