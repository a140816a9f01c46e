internal import Torch

/// The rows of a gradient that are not zero, added up over uses and tasks, where lookups made them.
///
/// Memory: the rows that occur.
final class RowSum {
    private let rows: Int
    private let columns: Int
    private var starts: [Int: Int] = [:]
    private var values: [Float] = []

    /// The layer's rows, and the elements of each.
    init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
    }

    /// Adds the rows of `values` [T, columns] at `places` [T]. Throws `TorchError` where they are none of the layer's.
    func add(_ values: Tensor, at places: Tensor) throws {
        let places = try places.integers().map { Int($0) }
        guard values.shape == [places.count, columns], places.allSatisfy((0..<rows).contains) else {
            throw TorchError("rows of shape \(values.shape) are none of a table's of \(rows) × \(columns)")
        }
        let added = try values.floats()
        for (index, place) in places.enumerated() {
            let row = added[index * columns..<(index + 1) * columns]
            guard let start = starts[place] else {
                starts[place] = self.values.count
                self.values.append(contentsOf: row)
                continue
            }
            unsafe self.values.withUnsafeMutableBufferPointer { values in
                for (column, value) in row.enumerated() { unsafe values[start + column] += value }
            }
        }
    }

    /// Whether any row has elements in this range of the layer's.
    func occurs(in elements: Range<Int>) -> Bool { places(elements).contains { starts[$0] != nil } }

    /// These elements of the layer's gradient.
    func elements(_ range: Range<Int>) -> [Float] {
        var result = [Float](repeating: 0, count: range.count)
        for place in places(range) {
            guard let start = starts[place] else { continue }
            let own = (place * columns..<(place + 1) * columns).clamped(to: range)
            let first = start + own.lowerBound - place * columns
            result.replaceSubrange(
                own.lowerBound - range.lowerBound..<own.upperBound - range.lowerBound,
                with: values[first..<first + own.count])
        }
        return result
    }

    private func places(_ elements: Range<Int>) -> Range<Int> {
        elements.lowerBound / columns..<(elements.upperBound + columns - 1) / columns
    }
}
