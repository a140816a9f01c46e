internal import Torch

/// The rows of a gradient that are not zero, added up over uses and tasks, where a lookup of few rows made them.
///
/// Memory: the rows that occur, never more than the layer has.
final class RowSum {
    private let columns: Int
    private var places: [Int64: Int] = [:]
    private var values: [Float] = []

    /// `columns`: elements of a row.
    init(columns: Int) { self.columns = columns }

    /// Adds the rows of `values` [T, columns] at `places` [T].
    func add(_ values: Tensor, at places: Tensor) throws {
        let places = try places.integers()
        try unsafe values.withUnsafeMutableBytes { bytes in
            let rows = unsafe bytes.assumingMemoryBound(to: Float.self)
            for (index, place) in places.enumerated() {
                let row = unsafe rows[index * columns..<(index + 1) * columns]
                if let start = self.places[place] {
                    for column in 0..<columns { unsafe self.values[start + column] += row[row.startIndex + column] }
                } else {
                    self.places[place] = self.values.count
                    unsafe self.values.append(contentsOf: row)
                }
            }
        }
    }

    /// Every row with its place on the first axis, in order of the places.
    func forEach(_ body: (_ row: Int, _ values: UnsafePointer<Float>) throws -> Void) throws {
        try unsafe values.withUnsafeBufferPointer { values in
            guard let first = values.baseAddress else { return }
            for (place, start) in places.sorted(by: { $0.key < $1.key }) {
                try unsafe body(Int(place), first + start)
            }
        }
    }
}
