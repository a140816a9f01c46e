extension Tokenizer {
    /// A token and the bytes of the text that it stands for, as the `tokenizers` library gives offsets.
    struct LocatedToken: Hashable, Sendable {
        var id: Int
        var range: Range<Int>
    }

    /// A question and the text that answers it, as a pair. At most `maximum` tokens: the text alone is cut.
    package struct AnswerEncoding: Hashable, Sendable {
        package var encoding: Encoding
        /// Of each token of the text, the bytes of it; nil for those of the question and special ones.
        package var offsets: [Range<Int>?]
    }

    /// Nil where the question leaves no room for the text.
    package func encode(
        question: String, context: String, maximum: Int
    ) throws(TokenizerError) -> AnswerEncoding? {
        let first = try ids(of: question)
        let second = try locatedTokens(of: context)
        let room = maximum - postProcessor.addedCount(isPair: true) - first.count
        guard room > 0 else { return nil }
        let kept = second.prefix(room)
        var encoding = postProcessor.apply(first, kept.map(\.id))
        encoding.isCut = kept.count < second.count
        let before = postProcessor.countBeforeSecond(first.count)
        var offsets = [Range<Int>?](repeating: nil, count: encoding.ids.count)
        for (place, token) in kept.enumerated() { offsets[before + place] = token.range }
        return AnswerEncoding(encoding: encoding, offsets: offsets)
    }

    /// The tokens of `ids(of:)` with their bytes of the text.
    func locatedTokens(of text: String) throws(TokenizerError) -> [LocatedToken] {
        var result: [LocatedToken] = []
        for part in added.raw.split(text, isFirst: true) {
            switch part {
            case .token(let id, let range): result.append(LocatedToken(id: id, range: range))
            case .text(let text, let isFirst, let start):
                var aligned = AlignedText(text, start: start)
                if let normalizer { aligned = try aligned.normalized(by: normalizer) }
                let beginsLater = try normalizer?.filtersFirst(of: text) ?? false
                for part in added.normalized.split(aligned.text, isFirst: isFirst && !beginsLater) {
                    result += try locatedTokens(part, aligned)
                }
            }
        }
        guard let trimming else { return result }
        return result.enumerated().map { trimmed($1, trimming, isFirst: $0 == 0) }
    }

    private func locatedTokens(
        _ part: AddedTokens.Part, _ text: AlignedText
    ) throws(TokenizerError) -> [LocatedToken] {
        switch part {
        case .token(let id, let range): return text.source(range).map { [LocatedToken(id: id, range: $0)] } ?? []
        case .text(let content, let isFirst, let start):
            let whole = [text.piece(start..<start + content.utf8.count, isFirst: isFirst)]
            return try (preTokenizer?.apply(whole) ?? whole).flatMap { piece in
                model.segments(of: piece.bytes[...]).compactMap { id, range in
                    piece.sources?[range].union.map { LocatedToken(id: id, range: $0) }
                }
            }
        }
    }

    /// Without the spaces at either end, but for one at the beginning of a text that may have been put there.
    private func trimmed(_ token: LocatedToken, _ trimming: OffsetTrimming, isFirst: Bool) -> LocatedToken {
        let characters = self.token(token.id) ?? ""
        let isSpace = { (scalar: Unicode.Scalar) in scalar == ByteAlphabet.scalars[0x20] }
        var leading = characters.unicodeScalars.prefix(while: isSpace).count
        let trailing = characters.unicodeScalars.reversed().prefix(while: isSpace).count
        let isAll = leading == characters.unicodeScalars.count
        if trimming.keepsFirstSpace, leading > 0, isFirst || token.range.lowerBound == 0 { leading -= 1 }
        let start = min(token.range.lowerBound + leading, token.range.upperBound)
        let end = isAll ? start : max(start, token.range.upperBound - trailing)
        return LocatedToken(id: token.id, range: start..<end)
    }
}

/// How a post-processor takes spaces out of tokens' offsets.
struct OffsetTrimming: Hashable, Sendable {
    /// Whether a space may have been put before the text.
    var keepsFirstSpace: Bool
}

extension PostProcessor {
    /// Tokens before those of the second text.
    func countBeforeSecond(_ first: Int) -> Int {
        var count = 0
        for element in pair {
            switch element {
            case .first: count += first
            case .special(let ids, _): count += ids.count
            case .second: return count
            }
        }
        return count
    }
}
