/// Tokens that are found in the text before the model sees it (`added_tokens`): special ones such as `[MASK]`, and
/// words that a fine-tune added.
struct AddedTokens: Sendable {
    struct Token: Hashable, Sendable {
        var id: Int
        var content: String
        var isSpecial = false
        /// Matches only between characters that are not part of words.
        var isWholeWord = false
        /// Takes the white space before it, or after it, with it.
        var stripsLeft = false
        var stripsRight = false
        /// Whether it is looked for in the normalized text.
        var isNormalized = true
    }

    /// A part of a text: an added token, or what the model is to split.
    enum Part: Hashable, Sendable {
        /// `range`: its bytes, with the white space that it takes.
        case token(Int, range: Range<Int>)
        /// `start`: its first byte.
        case text(String, isFirst: Bool, start: Int)
    }

    let tokens: [Token]
    /// Finds those that are looked for in the text as it is, and in the normalized text.
    let raw: Finder
    let normalized: Finder

    /// `normalize`: what is done to a text before tokens that are looked for in normalized text are searched.
    init(_ tokens: [Token], normalize: (String) throws(TokenizerError) -> String) throws(TokenizerError) {
        self.tokens = tokens
        raw = Finder(tokens.filter { !$0.isNormalized }.map { ($0, $0.content) })
        var contents: [(Token, String)] = []
        for token in tokens where token.isNormalized { contents.append((token, try normalize(token.content))) }
        normalized = Finder(contents)
    }

    /// `losesBeginning`: whether the normalizer filters the first character of a text, which then does not begin the
    /// whole.
    func parts(
        of text: String, normalize: (String) throws(TokenizerError) -> String,
        losesBeginning: (String) throws(TokenizerError) -> Bool
    ) throws(TokenizerError) -> [Part] {
        var result: [Part] = []
        for part in raw.split(text, isFirst: true) {
            guard case .text(let text, let isFirst, _) = part else {
                result.append(part)
                continue
            }
            let changed = try normalize(text)
            let beginsLater = try losesBeginning(text)
            result += normalized.split(changed, isFirst: isFirst && !beginsLater)
        }
        return result
    }

    /// Leftmost, then longest, match of several contents.
    struct Finder: Sendable {
        /// First byte → tokens, longest content first.
        private var byFirst: [UInt8: [(token: Token, content: [UInt8])]] = [:]

        init(_ tokens: [(Token, String)]) {
            for (token, content) in tokens {
                guard let first = content.utf8.first else { continue }
                byFirst[first, default: []].append((token, Array(content.utf8)))
            }
            for first in byFirst.keys {
                byFirst[first]?.sort { $0.content.count > $1.content.count }
            }
        }

        func split(_ text: String, isFirst: Bool) -> [Part] {
            if byFirst.isEmpty { return text.isEmpty ? [] : [.text(text, isFirst: isFirst, start: 0)] }
            let bytes = Array(text.utf8)
            var parts: [Part] = []
            var (from, position) = (0, 0)
            func addText(until end: Int) {
                guard from < end else { return }
                let text = String(decoding: bytes[from..<end], as: UTF8.self)
                parts.append(.text(text, isFirst: isFirst && from == 0, start: from))
            }
            while position < bytes.count {
                let match = byFirst[bytes[position]]?.first { bytes[position...].starts(with: $0.content) }
                guard let (token, content) = match else {
                    position += 1
                    continue
                }
                var (start, end) = (position, position + content.count)
                position = end
                if token.isWholeWord, !Self.isAlone(bytes, start..<end) { continue }
                if token.stripsLeft { start -= Self.spaceCountAtEnd(of: bytes[from..<start]) }
                if token.stripsRight { end += Self.spaceCount(bytes[end...]) }
                addText(until: start)
                parts.append(.token(token.id, range: start..<end))
                (from, position) = (end, max(position, end))
            }
            addText(until: bytes.count)
            return parts
        }

        private static func isAlone(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
            let before = String(decoding: bytes[..<range.lowerBound].suffix(4), as: UTF8.self).unicodeScalars.last
            let after = String(decoding: bytes[range.upperBound...].prefix(4), as: UTF8.self).unicodeScalars.first
            return before?.isWordCharacter != true && after?.isWordCharacter != true
        }

        /// Bytes of the white space at the end of a text. Reads no more than that and a character.
        private static func spaceCountAtEnd(of bytes: ArraySlice<UInt8>) -> Int {
            var start = bytes.endIndex
            while start > bytes.startIndex {
                var first = start - 1
                while first > bytes.startIndex, bytes[first] & 0xC0 == 0x80 { first -= 1 }
                guard isSpace(bytes[first..<start]) else { break }
                start = first
            }
            return bytes.endIndex - start
        }

        /// Bytes of the white space at the beginning of a text.
        private static func spaceCount(_ bytes: ArraySlice<UInt8>) -> Int {
            var end = bytes.startIndex
            while end < bytes.endIndex {
                var next = end + 1
                while next < bytes.endIndex, bytes[next] & 0xC0 == 0x80 { next += 1 }
                guard isSpace(bytes[end..<next]) else { break }
                end = next
            }
            return end - bytes.startIndex
        }

        private static func isSpace(_ character: ArraySlice<UInt8>) -> Bool {
            String(decoding: character, as: UTF8.self).unicodeScalars.first?.properties.isWhitespace == true
        }
    }
}
