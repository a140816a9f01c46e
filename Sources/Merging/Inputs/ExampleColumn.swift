internal import Safetensors
internal import Torch

/// A tensor with one row for each example, in memory or in its file: then only the rows that are asked for are read.
struct ExampleColumn {
    private let file: SafetensorsFile
    private let entry: TensorEntry
    /// Who is to blame for its content.
    private let task: String?
    private let kept: Tensor?

    init(_ file: SafetensorsFile, _ entry: TensorEntry, task: String?, isResident: Bool) throws {
        self.file = file
        self.entry = entry
        self.task = task
        kept = isResident ? try file.tensor(entry, of: task) : nil
    }

    /// The first axis is the examples.
    var shape: [Int] { entry.shape }

    var dtype: SafetensorsDType { entry.dtype }

    /// Bytes in memory.
    var residentBytes: Int { kept == nil ? 0 : entry.bytes.count }

    func all() throws -> Tensor { try kept ?? file.tensor(entry, of: task) }

    /// The given rows, in that order.
    func rows(_ indices: [Int]) throws -> Tensor {
        if let kept { return try kept.rows(at: Tensor(indices.map(Int64.init), shape: [indices.count])) }
        let size = entry.bytes.count / max(1, entry.shape.first ?? 1)
        var part = entry
        part.shape = [indices.count] + entry.shape.dropFirst()
        return try unsafe part.tensor(of: task) { buffer in
            for (place, index) in indices.enumerated() {
                let row = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[(place * size)..<(place + 1) * size])
                try unsafe file.read(entry, at: Int64(index * size), into: row)
            }
        }
    }
}
