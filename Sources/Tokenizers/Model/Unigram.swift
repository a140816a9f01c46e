/// The segmentation with the highest sum of log probabilities (Viterbi), a character that no token covers at 10 below
/// the lowest.
struct Unigram: Sendable {
    let vocabulary: Vocabulary
    private let scores: [Double]
    private let unknown: Int?
    private let fallsBackToBytes: Bool
    private let unknownScore: Double
    private let trie: Trie

    init(_ pieces: [(token: [UInt8], score: Double)], unknown: Int?, fallsBackToBytes: Bool) {
        var vocabulary = Vocabulary()
        vocabulary.reserve(pieces.count)
        var trie = Trie()
        for (id, piece) in pieces.enumerated() {
            vocabulary.insert(piece.token, id: id)
            trie.insert(piece.token, Int32(id))
        }
        self.vocabulary = vocabulary
        self.trie = trie
        self.unknown = unknown
        self.fallsBackToBytes = fallsBackToBytes
        scores = pieces.map(\.score)
        unknownScore = (scores.min() ?? 0) - 10
    }

    func ids(of piece: ArraySlice<UInt8>) -> [Int] { best(piece).flatMap { ids(ofToken: piece[$0]) } }

    /// Ids and the bytes that each stands for.
    func segments(of piece: ArraySlice<UInt8>) -> [(id: Int, range: Range<Int>)] {
        best(piece).flatMap { range in ids(ofToken: piece[range]).map { ($0, range) } }
    }

    private func ids(ofToken token: ArraySlice<UInt8>) -> [Int] {
        if let id = vocabulary.id(of: token) { return [id] }
        if fallsBackToBytes {
            let bytes = token.compactMap { vocabulary.id(of: ByteToken.text(of: $0)) }
            if bytes.count == token.count { return bytes }
        }
        return [unknown].compactMap(\.self)
    }

    /// The ranges of the best segmentation; neighbouring unknown characters are one range.
    private func best(_ piece: ArraySlice<UInt8>) -> [Range<Int>] {
        struct Node {
            var score = 0.0
            var start = -1
            var isUnknown = false
        }
        let base = piece.startIndex
        var nodes = [Node](repeating: Node(), count: piece.count + 1)
        var start = 0
        while start < piece.count {
            var width = 1
            while start + width < piece.count, piece[base + start + width] & 0xC0 == 0x80 { width += 1 }
            let before = nodes[start].score
            var coversCharacter = false
            trie.forEachPrefix(of: piece[(base + start)...]) { id, length in
                let score = scores[Int(id)] + before
                if nodes[start + length].start < 0 || score > nodes[start + length].score {
                    nodes[start + length] = Node(score: score, start: start)
                }
                if length == width { coversCharacter = true }
            }
            if !coversCharacter {
                let score = unknownScore + before
                if nodes[start + width].start < 0 || score > nodes[start + width].score {
                    nodes[start + width] = Node(score: score, start: start, isUnknown: true)
                }
            }
            start += width
        }
        var ranges: [Range<Int>] = []
        var end = piece.count
        var isAfterUnknown = false
        while end > 0 {
            let node = nodes[end]
            if node.isUnknown, isAfterUnknown, let last = ranges.last {
                ranges[ranges.count - 1] = base + node.start..<last.upperBound
            } else {
                ranges.append(base + node.start..<base + end)
            }
            isAfterUnknown = node.isUnknown
            end = node.start
        }
        return ranges.reversed()
    }

    /// Byte trie; children of a node are found by node and byte in one dictionary.
    private struct Trie: Sendable {
        private var children: [UInt64: Int32] = [:]
        private var ids: [Int32] = [-1]

        mutating func insert(_ token: [UInt8], _ id: Int32) {
            var node: Int32 = 0
            for byte in token {
                let key = UInt64(node) << 8 | UInt64(byte)
                if let child = children[key] {
                    node = child
                } else {
                    node = Int32(ids.count)
                    ids.append(-1)
                    children[key] = node
                }
            }
            ids[Int(node)] = id
        }

        /// Calls `body` with the id and the length of each token that `text` begins with, shortest first.
        func forEachPrefix(of text: ArraySlice<UInt8>, _ body: (Int32, Int) -> Void) {
            var node: Int32 = 0
            for (index, byte) in text.enumerated() {
                guard let child = children[UInt64(node) << 8 | UInt64(byte)] else { return }
                node = child
                if ids[Int(node)] >= 0 { body(ids[Int(node)], index + 1) }
            }
        }
    }
}
