internal import Glibc
internal import Safetensors
internal import Torch

/// Reused memory that pieces of tensors are read into, in the file's own type.
@safe
final class Scratch {
    private let bytes: UnsafeMutableRawBufferPointer

    init(bytes count: Int) throws {
        unsafe bytes = .allocate(byteCount: count, alignment: 64)
    }

    deinit { unsafe bytes.deallocate() }

    /// Elements `range` of tensor `name`, valid until the next call.
    func read(_ checkpoint: Checkpoint, _ name: String, _ range: Range<Int>) throws -> MergeKernel.Piece {
        guard let entry = checkpoint.entry(name), let type = entry.dtype.torch, type.isFloatingPoint else {
            throw MergeError.base("tensor \(name) is missing or of a type that can't be merged")
        }
        let size = entry.dtype.byteCount
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[..<(range.count * size)])
        try unsafe checkpoint.read(name, at: Int64(range.lowerBound * size), into: target)
        return unsafe MergeKernel.Piece(UnsafeRawPointer(target.baseAddress!), type)
    }
}

extension MergeKernel.Piece {
    /// Whether both hold the same type and bytes: then their difference is zero throughout.
    func hasSameBytes(as other: Self, count: Int) -> Bool {
        unsafe dtype == other.dtype && memcmp(bytes, other.bytes, count * dtype.byteCount) == 0
    }
}
