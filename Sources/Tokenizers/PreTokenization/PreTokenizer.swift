/// A piece of a text on its way to the model.
struct Piece: Hashable, Sendable {
    var bytes: [UInt8]
    /// Whether it begins where the whole text does.
    var isFirst: Bool
    /// Where they are asked for: of each byte, the bytes of the text that it comes from.
    var sources: [Range<Int>]?
}

/// One step that splits a text into the pieces that the model takes one by one, as the `pre_tokenizer` of
/// tokenizer.json names it.
indirect enum PreTokenizer: Sendable {
    case sequence([PreTokenizer])
    /// White space is dropped, each punctuation character stands alone.
    case bert
    /// `\w+|[^\w\s]+`.
    case whitespace
    case whitespaceSplit
    case punctuation(SplitBehavior)
    case digits(individually: Bool)
    case split(Pattern, SplitBehavior, isInverted: Bool)
    /// Bytes as printable characters; `pattern` splits first.
    case byteLevel(addsPrefixSpace: Bool, pattern: Pattern?)
    case metaspace(Metaspace)

    struct Metaspace: Sendable {
        enum Prefix: String { case always, never, first }

        var replacement: [UInt8]
        var prefix = Prefix.always
        var splits = true
    }

    func apply(_ pieces: [Piece]) throws(TokenizerError) -> [Piece] {
        switch self {
        case .sequence(let steps):
            var pieces = pieces
            let limit = TextLimit("pre_tokenizer", of: Self.count(pieces))
            for step in steps {
                pieces = try step.apply(pieces)
                try limit.check(Self.count(pieces))
            }
            return pieces
        case .bert:
            return pieces.flatMap { piece in
                Self.split(Self.split([piece], .removed) { $0.properties.isWhitespace }, .isolated) { $0.isPunctuation }
            }
        case .whitespaceSplit: return Self.split(pieces, .removed) { $0.properties.isWhitespace }
        case .whitespace: return Self.words(pieces)
        case .punctuation(let behavior): return Self.split(pieces, behavior) { $0.isPunctuation }
        case .digits(let individually):
            return Self.split(pieces, individually ? .isolated : .contiguous) {
                $0.properties.numericType != nil && $0.properties.generalCategory.isNumber
            }
        case .split(let pattern, let behavior, let isInverted):
            return try Self.split(pieces, pattern, behavior, isInverted)
        case .byteLevel(let addsPrefixSpace, let pattern):
            var pieces = pieces
            if addsPrefixSpace {
                for index in pieces.indices where pieces[index].bytes.first != 0x20 {
                    pieces[index].prepend([0x20])
                }
            }
            if let pattern { pieces = try Self.split(pieces, pattern, .isolated, false) }
            for index in pieces.indices {
                pieces[index].sources = pieces[index].sources(repeating: { ByteAlphabet.utf8[Int($0)].count })
                pieces[index].bytes = ByteAlphabet.encoded(pieces[index].bytes[...])
            }
            return pieces
        case .metaspace(let metaspace): return try metaspace.apply(pieces)
        }
    }

    private static func count(_ pieces: [Piece]) -> Int { pieces.reduce(0) { $0 + $1.bytes.count } }

    static func split(
        _ pieces: [Piece], _ pattern: Pattern, _ behavior: SplitBehavior, _ isInverted: Bool
    ) throws(TokenizerError) -> [Piece] {
        var result: [Piece] = []
        for piece in pieces {
            let ranges = behavior.pieces(
                of: piece.bytes.count, at: try pattern.matches(in: piece.bytes), isInverted: isInverted)
            result += ranges.map { piece[$0] }
        }
        return result
    }

    /// Every scalar of which `isDelimiter` is a match of its own.
    private static func split(
        _ pieces: [Piece], _ behavior: SplitBehavior, _ isDelimiter: (Unicode.Scalar) -> Bool
    ) -> [Piece] {
        pieces.flatMap { piece in
            var matches: [Range<Int>] = []
            var position = 0
            for scalar in String(decoding: piece.bytes, as: UTF8.self).unicodeScalars {
                let end = position + UTF8.width(scalar)
                if isDelimiter(scalar) { matches.append(position..<end) }
                position = end
            }
            return behavior.pieces(of: piece.bytes.count, at: matches).map { piece[$0] }
        }
    }

    /// Runs of word characters, and runs of what is neither a word character nor white space.
    private static func words(_ pieces: [Piece]) -> [Piece] {
        pieces.flatMap { piece in
            var result: [Range<Int>] = []
            var (position, kindBefore) = (0, 0)
            for scalar in String(decoding: piece.bytes, as: UTF8.self).unicodeScalars {
                let end = position + UTF8.width(scalar)
                let kind = scalar.properties.isWhitespace ? 0 : scalar.isWordCharacter ? 1 : 2
                if kind != 0 {
                    if kind == kindBefore, let last = result.last {
                        result[result.count - 1] = last.lowerBound..<end
                    } else {
                        result.append(position..<end)
                    }
                }
                (position, kindBefore) = (end, kind)
            }
            return result.map { piece[$0] }
        }
    }
}

extension PreTokenizer.Metaspace {
    func apply(_ pieces: [Piece]) throws(TokenizerError) -> [Piece] {
        var result: [Piece] = []
        for var piece in pieces {
            piece.sources = piece.sources(repeating: { $0 == 0x20 ? replacement.count : 1 })
            piece.bytes = piece.bytes.flatMap { $0 == 0x20 ? replacement : [$0] }
            let isPrefixed = prefix == .always || prefix == .first && piece.isFirst
            if isPrefixed, !piece.bytes.starts(with: replacement) { piece.prepend(replacement) }
            guard splits else {
                result.append(piece)
                continue
            }
            let matches = try Pattern(literal: String(decoding: replacement, as: UTF8.self)).matches(in: piece.bytes)
            result += SplitBehavior.mergedWithNext.pieces(of: piece.bytes.count, at: matches).map { piece[$0] }
        }
        return result
    }
}

extension Piece {
    subscript(_ range: Range<Int>) -> Piece {
        Piece(
            bytes: Array(bytes[range]), isFirst: isFirst && range.lowerBound == 0,
            sources: sources.map { Array($0[range]) })
    }

    /// Puts bytes before it, which come from where its first one does.
    mutating func prepend(_ prefix: [UInt8]) {
        bytes.insert(contentsOf: prefix, at: 0)
        guard let first = sources?.first else { return }
        sources?.insert(contentsOf: repeatElement(first, count: prefix.count), at: 0)
    }

    /// The sources where each byte becomes so many.
    func sources(repeating count: (UInt8) -> Int) -> [Range<Int>]? {
        sources.map { zip($0, bytes).flatMap { source, byte in repeatElement(source, count: count(byte)) } }
    }
}

extension UTF8 {
    static func width(_ scalar: Unicode.Scalar) -> Int {
        scalar.value < 0x80 ? 1 : scalar.value < 0x800 ? 2 : scalar.value < 0x10000 ? 3 : 4
    }
}

extension Unicode.GeneralCategory {
    /// Nd, Nl, No.
    var isNumber: Bool { self == .decimalNumber || self == .letterNumber || self == .otherNumber }
}
