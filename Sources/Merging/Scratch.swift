internal import Safetensors
internal import Torch

/// Reused memory for a piece of one tensor: bytes are read into it in the file's type and seen as float32.
final class Scratch {
    /// Elements that fit.
    let capacity: Int
    private let floats: Tensor
    private var raw: [DType: Tensor] = [:]

    init(capacity: Int) throws {
        self.capacity = capacity
        floats = try Tensor(empty: [capacity])
    }

    /// Elements `range` of tensor `name` as a flat float32 tensor, valid until the next call.
    func read(_ checkpoint: Checkpoint, _ name: String, _ range: Range<Int>) throws -> Tensor {
        guard let entry = checkpoint.entry(name), let type = entry.dtype.torch else {
            throw MergeError.base("tensor \(name) is missing or of a type that can't be merged")
        }
        let view = try floats.rows(from: 0, count: range.count)
        let offset = Int64(range.lowerBound * entry.dtype.byteCount)
        if type == .float32 {
            try unsafe view.withUnsafeMutableBytes { try unsafe checkpoint.read(name, at: offset, into: $0) }
        } else {
            if raw[type] == nil { raw[type] = try Tensor(empty: [capacity], type) }
            let staged = try raw[type]!.rows(from: 0, count: range.count)
            try unsafe staged.withUnsafeMutableBytes { try unsafe checkpoint.read(name, at: offset, into: $0) }
            try view.copy(staged)
        }
        return view
    }
}
