import Files
import Safetensors

/// The tensors of a small safetensors file in memory, to be changed and written again.
struct TensorFile {
    struct Tensor {
        var dtype: SafetensorsDType
        var shape: [Int]
        var bytes: [UInt8]

        init(_ values: [Float], _ shape: [Int]) {
            (dtype, self.shape, bytes) = (.f32, shape, values.withUnsafeBytes { Array($0) })
        }

        init(_ values: [Int64]) {
            (dtype, shape, bytes) = (.i64, [values.count], values.withUnsafeBytes { Array($0) })
        }

        init(dtype: SafetensorsDType, shape: [Int], bytes: [UInt8]) {
            (self.dtype, self.shape, self.bytes) = (dtype, shape, bytes)
        }

        var floats: [Float] {
            get {
                bytes.withUnsafeBytes { raw in
                    (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
                }
            }
            set { bytes = newValue.withUnsafeBytes { Array($0) } }
        }

        var integers: [Int64] {
            get {
                bytes.withUnsafeBytes { raw in
                    (0..<raw.count / 8).map { raw.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self) }
                }
            }
            set { bytes = newValue.withUnsafeBytes { Array($0) } }
        }
    }

    var tensors: [String: Tensor] = [:]

    init(_ tensors: [String: Tensor] = [:]) { self.tensors = tensors }

    init(path: String) throws {
        let file = try SafetensorsFile(file: ReadableFile(path: path))
        for entry in file.entries {
            var bytes = [UInt8](repeating: 0, count: Int(entry.bytes.upperBound - entry.bytes.lowerBound))
            try bytes.withUnsafeMutableBytes { try file.read(entry, into: $0) }
            tensors[entry.name] = Tensor(dtype: entry.dtype, shape: entry.shape, bytes: bytes)
        }
    }

    /// Writes a new file at `path`, in the place of one that stands there.
    func write(_ path: String) throws {
        try Durable.remove(path)
        let sorted = tensors.sorted { ($1.value.dtype.byteCount, $0.key) < ($0.value.dtype.byteCount, $1.key) }
        let writer = try SafetensorsWriter(
            path: path, slots: sorted.map { .init(name: $0.key, dtype: $0.value.dtype, shape: $0.value.shape) })
        for (_, tensor) in sorted { try tensor.bytes.withUnsafeBytes { try writer.append($0) } }
        _ = try writer.finish()
    }
}
