internal import Synchronization

/// A tokenizer as tokenizer.json describes it: text to ids and back, id for id as the `tokenizers` library does.
///
/// Pieces that were seen are remembered (up to `cacheLimit`), since words repeat.
package final class Tokenizer: Sendable {
    let normalizer: Normalizer?
    let preTokenizer: PreTokenizer?
    let model: TokenModel
    let added: AddedTokens
    let postProcessor: PostProcessor
    let decoder: TokenDecoder
    /// Most ids of an encoding where the file truncates; nil: no limit.
    package let truncation: Int?
    /// How tokens' offsets leave out the spaces at their ends; nil: they do not.
    let trimming: OffsetTrimming?
    private let cache = Mutex<[ArraySlice<UInt8>: [Int]]>([:])
    private static let cacheLimit = 1 << 16
    private static let longestCached = 64

    init(
        normalizer: Normalizer?, preTokenizer: PreTokenizer?, model: TokenModel, added: [AddedTokens.Token],
        postProcessor: PostProcessor, decoder: TokenDecoder, truncation: Int?, trimming: OffsetTrimming? = nil
    ) throws(TokenizerError) {
        self.normalizer = normalizer
        self.preTokenizer = preTokenizer
        self.model = model
        self.added = try AddedTokens(added) { text throws(TokenizerError) in try normalizer?.apply(text) ?? text }
        self.postProcessor = postProcessor
        self.decoder = decoder
        self.truncation = truncation
        self.trimming = trimming
    }

    /// Ids of `text`, or of a pair, at most `maximum` of them: the longer of a pair is cut first, at its end.
    package func encode(
        _ text: String, pair: String? = nil, addsSpecialTokens: Bool = true, maximum: Int? = nil
    ) throws(TokenizerError) -> Encoding {
        var first = try ids(of: text)
        var second: [Int]?
        if let pair { second = try ids(of: pair) }
        let processor = addsSpecialTokens ? postProcessor : PostProcessor()
        let count = first.count + (second?.count ?? 0)
        if let maximum = maximum ?? truncation {
            let room = try processor.room(in: maximum, isPair: second != nil)
            Self.truncate(&first, &second, to: room)
        }
        var encoding = processor.apply(first, second)
        encoding.isCut = first.count + (second?.count ?? 0) < count
        return encoding
    }

    /// Ids of a text that is split into words, each by itself (`is_split_into_words`), at most `maximum` of them, and
    /// the word of each; nil for special tokens around them (`word_ids`).
    package func encode(
        words: [String], maximum: Int
    ) throws(TokenizerError) -> (encoding: Encoding, words: [Int?]) {
        var (ids, owners): ([Int], [Int]) = ([], [])
        for (index, word) in words.enumerated() {
            let own = try self.ids(of: word)
            ids += own
            owners += own.map { _ in index }
        }
        let room = try postProcessor.room(in: maximum, isPair: false)
        var encoding = postProcessor.apply(Array(ids.prefix(room)), nil)
        encoding.isCut = ids.count > room
        var rest = owners[...]
        return (encoding, encoding.isSpecial.map { $0 ? nil : rest.popFirst() })
    }

    /// Ids without special tokens around them.
    package func ids(of text: String) throws(TokenizerError) -> [Int] {
        let normalize = { (text: String) throws(TokenizerError) -> String in try self.normalizer?.apply(text) ?? text }
        var result: [Int] = []
        let losesBeginning = { (text: String) throws(TokenizerError) -> Bool in
            try self.normalizer?.filtersFirst(of: text) ?? false
        }
        for part in try added.parts(of: text, normalize: normalize, losesBeginning: losesBeginning) {
            switch part {
            case .token(let id, _): result.append(id)
            case .text(let text, let isFirst, _):
                let whole = [Piece(bytes: Array(text.utf8), isFirst: isFirst)]
                for piece in try preTokenizer?.apply(whole) ?? whole where !piece.bytes.isEmpty {
                    result += cached(piece.bytes[...])
                }
            }
        }
        return result
    }

    /// The text of an id, added tokens included.
    package func token(_ id: Int) -> String? {
        if let token = added.tokens.first(where: { $0.id == id }) { return token.content }
        return model.vocabulary.token(id).map { String(decoding: $0, as: UTF8.self) }
    }

    package func id(of token: String) -> Int? {
        added.tokens.first { $0.content.utf8.elementsEqual(token.utf8) }?.id ?? model.vocabulary.id(of: token)
    }

    /// Whether it is an added token that `decode` leaves out.
    package func isSpecial(_ id: Int) -> Bool { added.tokens.contains { $0.id == id && $0.isSpecial } }

    /// The text of ids, special tokens left out.
    package func decode(_ ids: [Int]) -> String {
        let special = Set(added.tokens.filter(\.isSpecial).map(\.id))
        return decoder.text(of: ids.filter { !special.contains($0) }.compactMap(token))
    }

    private func cached(_ piece: ArraySlice<UInt8>) -> [Int] {
        guard piece.count <= Self.longestCached else { return model.ids(of: piece) }
        if let known = cache.withLock({ $0[piece] }) { return known }
        let ids = model.ids(of: piece)
        cache.withLock { cache in
            if cache.count < Self.cacheLimit { cache[piece] = ids }
        }
        return ids
    }

    /// `longest_first`: the shorter one is kept whole where it fits beside the other.
    private static func truncate(_ first: inout [Int], _ second: inout [Int]?, to room: Int) {
        guard let pair = second else {
            first = Array(first.prefix(room))
            return
        }
        var (short, long) = (min(first.count, pair.count), max(first.count, pair.count))
        guard short + long > room else { return }
        long = short > room ? short : max(short, room - short)
        if short + long > room { (short, long) = (room / 2, room / 2 + room % 2) }
        let isFirstLonger = first.count > pair.count
        first = Array(first.prefix(isFirstLonger ? long : short))
        second = Array(pair.prefix(isFirstLonger ? short : long))
    }
}
