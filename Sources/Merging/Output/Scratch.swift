internal import Files
internal import Glibc
internal import Safetensors
internal import Torch

/// Reused memory that pieces of tensors are read into, in the file's own type.
@safe
final class Scratch {
    private let bytes: UnsafeMutableRawBufferPointer
    /// Of the files that were not hashed before, by path.
    private let digests: [String: RunningDigest]

    init(bytes count: Int, hashing files: [SafetensorsFile] = []) throws {
        digests = Dictionary(uniqueKeysWithValues: files.map { ($0.file.path, RunningDigest($0.file)) })
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
        let offset = Int64(range.lowerBound * size)
        try unsafe checkpoint.read(name, at: offset, into: target)
        if checkpoint.isStored(name), let file = checkpoint.file(of: name), let digest = digests[file.file.path] {
            try unsafe digest.pass(UnsafeRawBufferPointer(target), at: entry.bytes.lowerBound + offset)
        }
        return unsafe MergeKernel.Piece(UnsafeRawPointer(target.baseAddress!), type)
    }

    /// Float32 elements that `fill` writes, valid until the next call.
    func hold(_ fill: (UnsafeMutableRawPointer) throws -> Void) throws -> MergeKernel.Piece {
        let start = unsafe bytes.baseAddress!
        try unsafe fill(start)
        return unsafe MergeKernel.Piece(UnsafeRawPointer(start), .float32)
    }

    /// SHA-256 of each file that was to be hashed, by path; what was not read is read now.
    func sha256() throws -> [String: String] { try digests.mapValues { try $0.finish() } }
}

extension MergeKernel.Piece {
    /// Whether every byte is zero.
    func isZero(count: Int) -> Bool {
        unsafe UnsafeRawBufferPointer(start: bytes, count: count * dtype.byteCount).allSatisfy { $0 == 0 }
    }

    /// Whether both hold the same type and bytes: then their difference is zero throughout.
    func hasSameBytes(as other: Self, count: Int) -> Bool {
        unsafe dtype == other.dtype && memcmp(bytes, other.bytes, count * dtype.byteCount) == 0
    }
}
