internal import Safetensors
internal import Torch

extension SafetensorsDType {
    /// The libtorch type of the same elements; nil where libtorch 1.13 has none.
    var torch: DType? {
        switch self {
        case .bool: .bool
        case .u8: .uint8
        case .i8: .int8
        case .i16: .int16
        case .i32: .int32
        case .i64: .int64
        case .f16: .float16
        case .bf16: .bfloat16
        case .f32: .float32
        case .f64: .float64
        case .u16, .u32, .u64: nil
        }
    }

    var isFloatingPoint: Bool { torch?.isFloatingPoint ?? false }
}

extension Checkpoint {
    /// A new tensor with the whole content of `name`, in the file's own type.
    func tensor(_ name: String) throws -> Tensor {
        guard let entry = entry(name) else { throw MergeError.base("there is no tensor \(name)") }
        return try unsafe entry.tensor { offset, buffer in try unsafe read(name, at: offset, into: buffer) }
    }
}

extension SafetensorsFile {
    /// A new tensor with the whole content of `entry`, in the file's own type.
    func tensor(_ entry: TensorEntry) throws -> Tensor {
        try unsafe entry.tensor { offset, buffer in try unsafe read(entry, at: offset, into: buffer) }
    }
}

extension TensorEntry {
    fileprivate func tensor(_ read: (Int64, UnsafeMutableRawBufferPointer) throws -> Void) throws -> Tensor {
        guard let type = dtype.torch else {
            throw MergeError.base("tensor \(name) has type \(dtype.rawValue), which libtorch does not know; convert it")
        }
        let tensor = try Tensor(empty: shape, type)
        try unsafe tensor.withUnsafeMutableBytes { buffer in try unsafe read(0, buffer) }
        return tensor
    }
}
