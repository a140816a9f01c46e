internal import Files
internal import Torch

/// Values of graphs that wait in a file of the scratch folder until they are read again, with their layout in memory:
/// what comes back is computed with as if it had never left.
///
/// Space of a value that was dropped is used again for the next one of as many bytes.
final class SpilledValues {
    private let file: ScratchFile
    private var free: [Int: [Int64]] = [:]

    /// Bytes of the file so far.
    var bytes: Int64 { file.count }

    /// Values below these bytes stay in memory.
    static let least = 1 << 18

    init(scratch: String) throws {
        try Durable.createDirectories(scratch)
        file = try ScratchFile(path: scratch + "/values.tmp")
    }

    /// A value in the file.
    final class Value {
        fileprivate let owner: SpilledValues
        let shape: [Int]
        fileprivate let strides: [Int]
        fileprivate let offset: Int64
        fileprivate let bytes: Int

        fileprivate init(_ owner: SpilledValues, shape: [Int], strides: [Int], offset: Int64, bytes: Int) {
            (self.owner, self.shape, self.strides, self.offset, self.bytes) = (owner, shape, strides, offset, bytes)
        }

        deinit { owner.free[bytes, default: []].append(offset) }

        /// The tensor, in memory of its own.
        func tensor() throws -> Tensor {
            let count = bytes / 4
            let flat = try Tensor(empty: [count])
            try unsafe flat.withUnsafeMutableBytes { try unsafe owner.file.read(into: $0, at: offset) }
            return try .one("aten::as_strided", [.tensor(flat), .ints(shape), .ints(strides)])
        }
    }

    /// Writes a float32 tensor to the file; nil where it is to stay in memory: small, of another type, or with elements
    /// that do not lie side by side.
    func store(_ tensor: Tensor) throws -> Value? {
        let bytes = 4 * tensor.elementCount
        let (shape, strides) = (tensor.shape, tensor.strides)
        guard bytes >= Self.least, tensor.dtype == .float32, Self.isDense(shape, strides) else { return nil }
        let offset = free[bytes]?.popLast() ?? file.count
        let flat = try Tensor.one("aten::as_strided", [.tensor(tensor), .ints([bytes / 4]), .ints([1])])
        try unsafe flat.withUnsafeMutableBytes { try unsafe file.write(UnsafeRawBufferPointer($0), at: offset) }
        return Value(self, shape: shape, strides: strides, offset: offset, bytes: bytes)
    }

    /// Whether the elements fill a range of memory without overlap.
    private static func isDense(_ shape: [Int], _ strides: [Int]) -> Bool {
        var expected = 1
        for (stride, length) in zip(strides, shape).filter({ $1 != 1 }).sorted(by: { $0.0 < $1.0 }) {
            guard stride == expected else { return false }
            expected *= length
        }
        return true
    }
}
