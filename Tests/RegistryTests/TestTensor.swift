import Foundation

/// A tensor for a small file that a test writes by hand, so that the reader is not tested with its own writer.
struct TestTensor {
    var name: String
    var dtype: String
    var shape: [Int]
    var bytes: [UInt8]

    init(_ name: String, _ dtype: String, _ shape: [Int], bytes: [UInt8]) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.bytes = bytes
    }

    init(_ name: String, _ shape: [Int], _ values: [Float]) {
        self.init(
            name, "F32", shape, bytes: values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) })
    }

    init(_ name: String, _ shape: [Int], integers: [Int32]) {
        self.init(name, "I32", shape, bytes: integers.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) })
    }

    /// A safetensors file. `padding`: spaces after the header, which shift every tensor.
    static func file(_ tensors: [TestTensor], padding: Int = 0) -> [UInt8] {
        var offset = 0
        let items = tensors.map { tensor in
            defer { offset += tensor.bytes.count }
            return "\"\(tensor.name)\":{\"dtype\":\"\(tensor.dtype)\",\"shape\":\(tensor.shape),"
                + "\"data_offsets\":[\(offset),\(offset + tensor.bytes.count)]}"
        }
        let header = Array("{\(items.joined(separator: ","))}".utf8) + [UInt8](repeating: 0x20, count: padding)
        return withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init) + header + tensors.flatMap(\.bytes)
    }
}
