/// Counts elements of one tensor that are zero where the base's are not, and the longest run of them that is none of
/// whole rows.
///
/// Pruning a head or a neuron clears rows. What a copy or a download that was cut off leaves begins anywhere, or where
/// a block of the file does.
struct ZeroCount {
    /// Elements of a row, bytes of one, and where in the file the tensor begins.
    private let row: Int
    private let width: Int64
    private let start: Int64
    private var seen = 0
    private var lost = 0
    private var run = 0
    /// The element with which the zeros began; nil outside of them.
    private var first: Int?
    private var longest = 0

    /// Files are copied in multiples of this many bytes.
    private static let block: Int64 = 512

    init(row: Int = 0, width: Int = 1, start: Int64 = 0) {
        self.row = row
        self.width = Int64(width)
        self.start = start
    }

    /// The shares; nil where they are small, or the tensor is.
    var elements: ZeroedElements? {
        guard seen >= ZeroedElements.fewest else { return nil }
        let longest = areRows(upTo: seen) ? longest : max(longest, run)
        let found = ZeroedElements(share: Double(lost) / Double(seen), longest: Double(longest) / Double(seen))
        return found.share >= ZeroedElements.shareToName || found.longest >= ZeroedElements.longestAllowed ? found : nil
    }

    /// Takes the next elements of the tensor and of the base's. Where the base's is zero, too, a run goes on.
    mutating func add(_ own: ArraySlice<Float>, _ theirs: ArraySlice<Float>) {
        var index = seen
        for (value, other) in zip(own, theirs) {
            defer { index += 1 }
            guard value == 0 else {
                if first != nil { endRun(before: index) }
                continue
            }
            if first == nil { first = index }
            guard other != 0 else { continue }
            lost += 1
            run += 1
        }
        seen = index
    }

    private mutating func endRun(before index: Int) {
        if !areRows(upTo: index) { longest = max(longest, run) }
        (first, run) = (nil, 0)
    }

    /// Whether the zeros are rows, two or more of which the tensor has, and begin or end within a block of the file.
    private func areRows(upTo end: Int) -> Bool {
        guard let first, row > 1, first.isMultiple(of: row), end.isMultiple(of: row) else { return false }
        return [first, end].contains { !(start + Int64($0) * width).isMultiple(of: Self.block) }
    }
}
