/// What turns a piece into ids, as the `model` of tokenizer.json names it.
enum TokenModel: Sendable {
    case wordLevel(Vocabulary, unknown: String)
    case wordPiece(WordPiece)
    case bpe(BytePairEncoding)
    case unigram(Unigram)

    var vocabulary: Vocabulary {
        switch self {
        case .wordLevel(let vocabulary, _): vocabulary
        case .wordPiece(let model): model.vocabulary
        case .bpe(let model): model.vocabulary
        case .unigram(let model): model.vocabulary
        }
    }

    func ids(of piece: ArraySlice<UInt8>) -> [Int] {
        switch self {
        case .wordLevel(let vocabulary, let unknown):
            [vocabulary.id(of: piece) ?? vocabulary.id(of: unknown)].compactMap(\.self)
        case .wordPiece(let model): model.ids(of: piece)
        case .bpe(let model): model.ids(of: piece)
        case .unigram(let model): model.ids(of: piece)
        }
    }
}

/// Greedy longest match from the left (BERT): the first token, then tokens with the prefix. A word with a rest that no
/// token begins is unknown as a whole.
struct WordPiece: Sendable {
    var vocabulary: Vocabulary
    var unknown: String
    var prefix: [UInt8]
    /// Longest word, in characters.
    var limit: Int

    func ids(of piece: ArraySlice<UInt8>) -> [Int] {
        let unknown = [vocabulary.id(of: unknown)].compactMap(\.self)
        guard piece.count(where: { $0 & 0xC0 != 0x80 }) <= limit else { return unknown }
        var found: [Int] = []
        var start = piece.startIndex
        var candidate: [UInt8] = []
        while start < piece.endIndex {
            var end = piece.endIndex
            candidate.removeAll(keepingCapacity: true)
            if start > piece.startIndex { candidate += prefix }
            let head = candidate.count
            candidate += piece[start...]
            var match: Int?
            while end > start {
                if end == piece.endIndex || piece[end] & 0xC0 != 0x80 {
                    match = vocabulary.id(of: candidate[..<(head + end - start)])
                    if match != nil { break }
                }
                end -= 1
            }
            guard let match else { return unknown }
            found.append(match)
            start = end
        }
        return found
    }
}
