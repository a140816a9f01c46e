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
    /// A new tensor with the whole content of `name`, in the file's own type; unsigned integers that libtorch does not
    /// know become int64. Where the content is at fault, `task` is to blame, or the base.
    func tensor(_ name: String, of task: String? = nil) throws -> Tensor {
        guard let entry = entry(name) else { throw MergeError.blaming(task, "there is no tensor \(name)") }
        return try unsafe entry.tensor(of: task) { buffer in try unsafe read(name, into: buffer) }
    }
}

extension SafetensorsFile {
    /// A new tensor with the whole content of `entry`, as `Checkpoint.tensor` has it.
    func tensor(_ entry: TensorEntry, of task: String? = nil) throws -> Tensor {
        try unsafe entry.tensor(of: task) { buffer in try unsafe read(entry, into: buffer) }
    }
}

extension SafetensorsFile {
    /// The elements of a floating-point tensor, row by row, in float32; needs no libtorch.
    func floats(_ entry: TensorEntry) throws -> [Float] {
        guard let type = entry.dtype.torch, type.isFloatingPoint else {
            throw MergeError.base("\(entry.name) of \(file.path) is \(entry.dtype.rawValue), not of floating point")
        }
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, entry.bytes.count), alignment: 64)
        defer { unsafe bytes.deallocate() }
        let stored = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[..<entry.bytes.count])
        try unsafe read(entry, into: stored)
        let count = entry.elementCount
        return try unsafe [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard count > 0, let target = buffer.baseAddress, let source = bytes.baseAddress else {
                return
            }
            try unsafe MergeKernel.sum(
                origin: .init(UnsafeRawPointer(source), type), vectors: [], coefficients: [], rows: 1, stride: count,
                into: target, .float32)
            initialized = count
        }
    }
}

extension TensorEntry {
    /// A new tensor that `read` fills with the elements in the file's type.
    func tensor(
        of task: String?, _ read: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws -> Tensor {
        guard let type = dtype.torch else { return try unsafe Tensor(widened(of: task, read), shape: shape) }
        let tensor = try Tensor(empty: shape, type)
        try unsafe tensor.withUnsafeMutableBytes { buffer in try unsafe read(buffer) }
        return tensor
    }

    /// The elements of an unsigned type as int64.
    private func widened(
        of task: String?, _ read: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws -> [Int64] {
        switch dtype {
        case .u16: return try unsafe elements(UInt16.self, read).map(Int64.init)
        case .u32: return try unsafe elements(UInt32.self, read).map(Int64.init)
        default:
            return try unsafe elements(UInt64.self, read).map { value in
                guard let value = Int64(exactly: value) else {
                    throw MergeError.blaming(
                        task, "tensor \(name) has the element \(value), beyond 63 bits; save it as int64")
                }
                return value
            }
        }
    }

    private func elements<Element: FixedWidthInteger>(
        _ type: Element.Type, _ read: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws -> [Element] {
        var elements = [Element](repeating: 0, count: elementCount)
        try unsafe elements.withUnsafeMutableBytes { buffer in try unsafe read(buffer) }
        return elements
    }
}
