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
        return merged(symbols(of: piece))
    }

    /// Its characters' ids.
    private func symbols(of piece: ArraySlice<UInt8>) -> [Int] {
        var symbols: [Int] = []
        symbols.reserveCapacity(piece.count)
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
                isAfterUnknown = false
            } else if fallsBackToBytes, let bytes = byteTokens(symbol) {
                symbols += bytes
                isAfterUnknown = false
            } else if let unknown {
                if !fusesUnknown || !isAfterUnknown { symbols.append(unknown) }
                isAfterUnknown = true
            }
            start = end
        }
        return symbols
    }

    private func byteTokens(_ symbol: ArraySlice<UInt8>) -> [Int]? {
        let tokens = symbol.compactMap { vocabulary.id(of: ByteToken.text(of: $0)) }
        return tokens.count == symbol.count ? tokens : nil
    }

    private func merged(_ symbols: [Int]) -> [Int] {
        guard symbols.count > 1 else { return symbols }
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
        return ids.filter { $0 >= 0 }
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
