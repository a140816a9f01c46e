/// Byte-pair encoding: the pair of neighbours with the lowest rank is merged, the leftmost of several, until none can
/// be.
///
/// O(n log n) in the symbols of a piece, by a heap of pairs.
struct BytePairEncoding: Sendable {
    struct Merge: Sendable {
        var rank: Int32
        var id: Int32
    }

    var vocabulary: Vocabulary
    /// Both ids in one number → rank and id of the pair.
    var merges: [UInt64: Merge]
    var unknown: String?
    /// Before every symbol but the first, and after the last.
    var prefix = ""
    var suffix = ""
    /// One unknown token for several unknown characters in a row.
    var fusesUnknown = false
    /// An unknown character becomes its bytes, `<0x0A>`, where the vocabulary has all of them.
    var fallsBackToBytes = false
    /// A piece that is a token is taken as it is.
    var ignoresMergesOfTokens = false

    static func key(_ left: Int, _ right: Int) -> UInt64 { UInt64(UInt32(left)) << 32 | UInt64(UInt32(right)) }

    func ids(of piece: ArraySlice<UInt8>) -> [Int] {
        if ignoresMergesOfTokens, let whole = vocabulary.id(of: piece) { return [whole] }
        return merged(symbols(of: piece).ids).map(\.id)
    }

    /// Ids and the bytes that each stands for.
    func segments(of piece: ArraySlice<UInt8>) -> [(id: Int, range: Range<Int>)] {
        if ignoresMergesOfTokens, let whole = vocabulary.id(of: piece) { return [(whole, piece.indices)] }
        let (symbols, ranges) = symbols(of: piece)
        return merged(symbols).map { id, own in
            (id, ranges[own.lowerBound].lowerBound..<ranges[own.upperBound - 1].upperBound)
        }
    }

    /// Its characters' ids, each with its bytes.
    private func symbols(of piece: ArraySlice<UInt8>) -> (ids: [Int], ranges: [Range<Int>]) {
        var symbols: [Int] = []
        var ranges: [Range<Int>] = []
        symbols.reserveCapacity(piece.count)
        ranges.reserveCapacity(piece.count)
        let unknown = unknown.flatMap { vocabulary.id(of: $0) }
        var isAfterUnknown = false
        var start = piece.startIndex
        while start < piece.endIndex {
            var end = start + 1
            while end < piece.endIndex, piece[end] & 0xC0 == 0x80 { end += 1 }
            var symbol = piece[start..<end]
            if start > piece.startIndex, !prefix.isEmpty { symbol = (Array(prefix.utf8) + symbol)[...] }
            if end == piece.endIndex, !suffix.isEmpty { symbol = (symbol + Array(suffix.utf8))[...] }
            if let id = vocabulary.id(of: symbol) {
                symbols.append(id)
                ranges.append(start..<end)
                isAfterUnknown = false
            } else if fallsBackToBytes, let bytes = byteTokens(symbol) {
                symbols += bytes
                // A prefix or suffix has no bytes of its own.
                ranges += bytes.indices.map { min(start + $0, end - 1)..<min(start + $0 + 1, end) }
                isAfterUnknown = false
            } else if let unknown {
                if fusesUnknown, isAfterUnknown, let last = ranges.last {
                    ranges[ranges.count - 1] = last.lowerBound..<end
                } else {
                    symbols.append(unknown)
                    ranges.append(start..<end)
                }
                isAfterUnknown = true
            }
            start = end
        }
        return (symbols, ranges)
    }

    private func byteTokens(_ symbol: ArraySlice<UInt8>) -> [Int]? {
        let tokens = symbol.compactMap { vocabulary.id(of: ByteToken.text(of: $0)) }
        return tokens.count == symbol.count ? tokens : nil
    }

    /// The ids after all merges, each with the symbols that it was merged of.
    private func merged(_ symbols: [Int]) -> [(id: Int, symbols: Range<Int>)] {
        guard symbols.count > 1 else { return symbols.map { ($0, 0..<1) } }
        var ids = symbols
        var next = Array(1...symbols.count)
        var previous = Array(-1..<symbols.count - 1)
        var heap = Heap()
        func pair(_ left: Int) -> Merge? {
            next[left] < ids.count ? merges[Self.key(ids[left], ids[next[left]])] : nil
        }
        for position in 0..<symbols.count - 1 {
            if let merge = pair(position) {
                heap.push(.init(rank: merge.rank, position: Int32(position), id: merge.id))
            }
        }
        while let best = heap.pop() {
            let left = Int(best.position)
            // The pair may have changed since it was put here.
            guard ids[left] >= 0, let merge = pair(left), merge.id == best.id else { continue }
            let right = next[left]
            (ids[left], ids[right]) = (Int(merge.id), -1)
            next[left] = next[right]
            if next[right] < ids.count { previous[next[right]] = left }
            if let merge = pair(left) { heap.push(.init(rank: merge.rank, position: Int32(left), id: merge.id)) }
            if previous[left] >= 0, let merge = pair(previous[left]) {
                heap.push(.init(rank: merge.rank, position: Int32(previous[left]), id: merge.id))
            }
        }
        return ids.indices.filter { ids[$0] >= 0 }.map { (ids[$0], $0..<next[$0]) }
    }

    /// A binary heap of pairs, lowest rank first, then leftmost.
    private struct Heap {
        struct Entry {
            var rank: Int32
            var position: Int32
            var id: Int32

            static func < (left: Entry, right: Entry) -> Bool {
                left.rank != right.rank ? left.rank < right.rank : left.position < right.position
            }
        }

        private var entries: [Entry] = []

        mutating func push(_ entry: Entry) {
            entries.append(entry)
            var child = entries.count - 1
            while child > 0, entries[child] < entries[(child - 1) / 2] {
                entries.swapAt(child, (child - 1) / 2)
                child = (child - 1) / 2
            }
        }

        mutating func pop() -> Entry? {
            guard let first = entries.first else { return nil }
            let last = entries.removeLast()
            if entries.isEmpty { return first }
            entries[0] = last
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2]
                where child < entries.count && entries[child] < entries[least] {
                    least = child
                }
                guard least != parent else { return first }
                entries.swapAt(parent, least)
                parent = least
            }
        }
    }
}

/// `<0x0A>`, the token of a single byte.
enum ByteToken {
    private static let texts: [[UInt8]] = (0...255).map { value in
        let digits = String(value, radix: 16, uppercase: true)
        return Array("<0x\(value < 16 ? "0" : "")\(digits)>".utf8)
    }

    static func text(of byte: UInt8) -> ArraySlice<UInt8> { texts[Int(byte)][...] }

    static func byte(of token: some Collection<UInt8>) -> UInt8? {
        guard token.count == 6 else { return nil }
        return texts.firstIndex { $0.elementsEqual(token) }.map(UInt8.init)
    }
}
