import CTorch

extension Tensor {
    /// The elements as bytes, in place. The tensor must be contiguous and on the CPU.
    package func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) throws -> R {
        var bytes: UnsafeMutableRawPointer?
        var count: Int64 = 0
        try TorchError.check { error in
            unsafe ct_tensor_bytes(handle, &bytes, &count, error)
        }
        return try withExtendedLifetime(self) {
            try unsafe body(UnsafeMutableRawBufferPointer(start: bytes, count: Int(count)))
        }
    }

    /// A copy of the elements, converted.
    package func floats() throws -> [Float] { try elements(.float32) }

    /// A copy of the elements, converted; fractions are cut off.
    package func integers() throws -> [Int64] { try elements(.int64) }

    /// A copy of the elements, converted.
    package func doubles() throws -> [Double] { try elements(.float64) }

    /// The value of a tensor with one element.
    package func item() throws -> Double {
        guard elementCount == 1 else { throw TorchError("a tensor of shape \(shape) has not one value") }
        return try doubles()[0]
    }

    private func elements<Element: BitwiseCopyable>(_ dtype: DType) throws -> [Element] {
        let source = try TorchRuntime.withoutGradients { try detached().to(dtype).contiguous() }
        return try unsafe source.withUnsafeMutableBytes { bytes in
            unsafe Array(bytes.bindMemory(to: Element.self))
        }
    }
}
