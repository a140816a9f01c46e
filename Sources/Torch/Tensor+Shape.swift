extension Tensor {
    /// Zeros, contiguous.
    package static func zeros(_ shape: [Int], _ dtype: DType = .float32, device: Device = .cpu) throws -> Tensor {
        let tensor = try Tensor(empty: shape, dtype, device: device)
        guard device == .cpu else { return try .one("aten::zero_", [.tensor(tensor)]) }
        try unsafe tensor.withUnsafeMutableBytes { bytes in
            _ = unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
        }
        return tensor
    }

    /// The tensor in another element type; itself where it has that type already.
    package func to(_ dtype: DType) throws -> Tensor {
        try .one("aten::to", "dtype", [.tensor(self), .dtype(dtype)])
    }

    /// Row-major in memory; itself where it is so already.
    package func contiguous() throws -> Tensor { try .one("aten::contiguous", [.tensor(self)]) }

    /// An alias outside of the record for gradients.
    package func detached() throws -> Tensor { try .one("aten::detach", [.tensor(self)]) }

    /// A copy with memory of its own.
    package func clone() throws -> Tensor { try .one("aten::clone", [.tensor(self)]) }

    /// The elements in another shape, one length of which may be -1; shares memory where it can.
    package func reshaped(_ shape: [Int]) throws -> Tensor {
        try .one("aten::reshape", [.tensor(self), .ints(shape)])
    }

    /// A matrix's transpose, sharing memory.
    package func transposed() throws -> Tensor { try .one("aten::t", [.tensor(self)]) }

    /// Places `start..<start + count` of the second axis, sharing memory.
    package func columns(from start: Int, count: Int) throws -> Tensor {
        try .one("aten::narrow", [.tensor(self), .int(1), .int(start), .int(count)])
    }

    /// Places `start..<start + count` of an axis, sharing memory.
    package func places(from start: Int, count: Int, axis: Int) throws -> Tensor {
        try .one("aten::narrow", [.tensor(self), .int(axis), .int(start), .int(count)])
    }

    /// Rows `start..<start + count` of the first axis, sharing memory.
    package func rows(from start: Int, count: Int) throws -> Tensor {
        try .one("aten::narrow", [.tensor(self), .int(0), .int(start), .int(count)])
    }

    /// The rows of the first axis that `indices` (int64) names, copied.
    package func rows(at indices: Tensor) throws -> Tensor {
        try .one("aten::index_select", [.tensor(self), .int(0), .tensor(indices)])
    }

    /// `tensors` one after another along `axis`.
    package static func concatenated(_ tensors: [Tensor], axis: Int = 0) throws -> Tensor {
        try .one("aten::cat", [.tensors(tensors), .int(axis)])
    }
}
