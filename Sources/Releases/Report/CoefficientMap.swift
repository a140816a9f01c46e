internal import WorkerProtocol

/// Merge coefficients as a picture can show them: layers in the order people read them, neighbours averaged where there
/// are more of them than columns.
struct CoefficientMap {
    /// Layers that stand beside each other, and the mean of each task's coefficients over them.
    struct Column {
        var layers: [String]
        /// One for each task; nil where a layer has none.
        var means: [Double?]

        var name: String {
            guard let first = layers.first, let last = layers.last, layers.count > 1 else { return layers.first ?? "" }
            return "\(first) … \(last)"
        }
    }

    /// A run of columns whose layers belong to the same numbered block, for example `encoder.layer.7`.
    struct Block {
        var columns: Range<Int>
        /// The block's number; empty for layers outside any.
        var label: String
    }

    static let mostColumns = 240

    let tasks: [String]
    let layerCount: Int
    let columns: [Column]
    let blocks: [Block]
    /// The largest finite absolute value, rounded up to a tenth; the colours go that far.
    let limit: Double

    init(_ coefficients: [String: [Double]], tasks: [String]) {
        self.tasks = tasks
        let names = coefficients.keys.sorted(by: Self.isBefore)
        layerCount = names.count
        let count = min(names.count, Self.mostColumns)
        columns = (0..<count).map { place in
            let layers = Array(names[place * names.count / count..<(place + 1) * names.count / count])
            let means = tasks.indices.map { task -> Double? in
                let values = layers.compactMap { layer -> Double? in
                    guard let values = coefficients[layer], values.indices.contains(task) else { return nil }
                    return values[task].isFinite ? values[task] : nil
                }
                return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
            }
            return Column(layers: layers, means: means)
        }
        let largest = columns.flatMap(\.means).compactMap { $0.map(abs) }.max() ?? 0
        limit = min(max((largest * 10).rounded(.up) / 10, 0.1), 1e6)
        var blocks: [Block] = []
        var last: String?
        for (place, column) in columns.enumerated() {
            let (prefix, label) = Self.block(of: column.layers.first ?? "")
            if prefix == last, let end = blocks.indices.last {
                blocks[end].columns = blocks[end].columns.lowerBound..<place + 1
            } else {
                blocks.append(Block(columns: place..<place + 1, label: label))
            }
            last = prefix
        }
        self.blocks = blocks
    }

    /// A layer's name up to its first number, and the number.
    private static func block(of layer: String) -> (prefix: String, label: String) {
        let parts = layer.split(separator: ".", omittingEmptySubsequences: false)
        guard let place = parts.firstIndex(where: { !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } })
        else {
            return ("", "")
        }
        return (parts[...place].joined(separator: "."), String(parts[place]))
    }

    /// As people count: `layer.2` stands before `layer.10`.
    static func isBefore(_ first: String, _ second: String) -> Bool {
        let (a, b) = (Array(first.utf8), Array(second.utf8))
        var (i, j) = (0, 0)
        while i < a.count, j < b.count {
            let (x, y) = (number(in: a, at: i), number(in: b, at: j))
            if let x, let y {
                if x.digits.count != y.digits.count { return x.digits.count < y.digits.count }
                if !x.digits.elementsEqual(y.digits) { return x.digits.lexicographicallyPrecedes(y.digits) }
                (i, j) = (x.end, y.end)
            } else {
                if a[i] != b[j] { return a[i] < b[j] }
                (i, j) = (i + 1, j + 1)
            }
        }
        if a.count - i != b.count - j { return a.count - i < b.count - j }
        return a.lexicographicallyPrecedes(b)
    }

    /// The digits from `start` on without zeros before them; nil where none stands there.
    private static func number(in bytes: [UInt8], at start: Int) -> (digits: ArraySlice<UInt8>, end: Int)? {
        let end = bytes[start...].firstIndex { !(48...57).contains($0) } ?? bytes.endIndex
        guard end > start else { return nil }
        return (bytes[start..<end].drop { $0 == 48 }, end)
    }
}
