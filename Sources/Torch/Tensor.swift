import CTorch
import Glibc

/// A handle on a libtorch tensor; `deinit` gives the reference back. Not `Sendable`: one actor owns the tensors.
@safe package final class Tensor {
    let handle: OpaquePointer

    /// Takes over one reference.
    init(owning handle: OpaquePointer) { unsafe self.handle = handle }

    deinit { unsafe ct_tensor_free(handle) }

    /// Uninitialised and contiguous.
    package init(empty shape: [Int], _ dtype: DType = .float32, device: Device = .cpu) throws {
        var result: OpaquePointer?
        let sizes = shape.map(Int64.init)
        try TorchError.check { error in
            unsafe sizes.withUnsafeBufferPointer { sizes in
                guard let first = sizes.baseAddress else {
                    var none: Int64 = 0
                    return unsafe ct_tensor_empty(&none, 0, dtype.code, device.name, &result, error)
                }
                return unsafe ct_tensor_empty(
                    first, Int64(sizes.count), dtype.code, device.name, &result, error)
            }
        }
        guard let result = unsafe result else { throw TorchError("libtorch made no tensor") }
        unsafe self.handle = result
    }

    /// Uninitialised weights of a 16-bit type that count as float32: what reads them as the weight of `aten::linear` or
    /// `aten::embedding` gives float32, widening a part of them at a time. Nothing else may read them.
    package init(narrow shape: [Int], _ dtype: DType) throws {
        var result: OpaquePointer?
        let sizes = shape.map(Int64.init) + [0]
        try TorchError.check { error in
            unsafe sizes.withUnsafeBufferPointer { sizes in
                unsafe ct_tensor_empty_narrow(sizes.baseAddress!, Int64(shape.count), dtype.code, &result, error)
            }
        }
        guard let result = unsafe result else { throw TorchError("libtorch made no tensor") }
        unsafe self.handle = result
    }

    package convenience init(_ values: [Float], shape: [Int]) throws {
        try self.init(empty: shape, .float32)
        try fill(values)
    }

    package convenience init(_ values: [Int64], shape: [Int]) throws {
        try self.init(empty: shape, .int64)
        try fill(values)
    }

    package var shape: [Int] {
        unsafe (0..<ct_tensor_rank(handle)).map { unsafe Int(ct_tensor_length(handle, $0)) }
    }

    /// Elements in memory between two neighbours on each axis.
    package var strides: [Int] {
        unsafe (0..<ct_tensor_rank(handle)).map { unsafe Int(ct_tensor_stride(handle, $0)) }
    }

    /// Whether it is one of `init(narrow:_:)` and counts as float32.
    package var isNarrow: Bool { unsafe ct_tensor_is_narrow(handle) }

    /// The element type; complex, quantised and 8-bit floating-point tensors, which have none here, never leave the
    /// room.
    package var dtype: DType {
        guard let type = unsafe DType(code: ct_tensor_dtype(handle)) else {
            preconditionFailure("a tensor of an element type that this program never makes")
        }
        return type
    }

    package var device: Device {
        guard let name = unsafe ct_tensor_device(handle) else { return .cpu }
        defer { unsafe free(name) }
        return Device(unsafe String(cString: name))
    }

    /// Whether what is done with it is recorded for gradients.
    package var isRecorded: Bool { unsafe ct_tensor_requires_grad(handle) }

    /// Whether nobody else holds the tensor or its elements, so that writing to it changes nothing of anyone's.
    package var isUnshared: Bool { unsafe ct_tensor_is_unshared(handle) }

    package var elementCount: Int { unsafe Int(ct_tensor_element_count(handle)) }

    private func fill<Element>(_ values: [Element]) throws {
        guard values.count == elementCount else {
            throw TorchError("\(values.count) values do not fill a tensor of shape \(shape)")
        }
        try unsafe withUnsafeMutableBytes { bytes in
            unsafe values.withUnsafeBytes { unsafe bytes.copyMemory(from: $0) }
        }
    }
}
