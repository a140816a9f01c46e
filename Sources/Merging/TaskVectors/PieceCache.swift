internal import Safetensors
internal import Torch

/// Whole tensors kept in memory up to a fixed number of bytes, so that small models are not read from the files anew at
/// every step. What does not fit is streamed; the bound does not depend on the model or the number of tasks.
@safe
final class PieceCache {
    private struct Key: Hashable {
        var source: Int
        var layer: Int
    }

    private let bytes: Int
    private var left: Int
    private var kept: [Key: UnsafeMutableRawBufferPointer] = unsafe [:]

    init(bytes: Int) { (self.bytes, left) = (bytes, bytes) }

    deinit { unsafe kept.values.forEach { unsafe $0.deallocate() } }

    /// Gives the memory back; pieces that were handed out are no longer valid.
    func empty() {
        unsafe kept.values.forEach { unsafe $0.deallocate() }
        unsafe kept = [:]
        left = bytes
    }

    /// Elements `range` of a layer of the `source`-th file, or nil where the layer does not fit.
    func piece(
        source: Int, layer: Int, of checkpoint: Checkpoint, _ name: String, _ range: Range<Int>
    ) throws -> MergeKernel.Piece? {
        guard let entry = checkpoint.entry(name), let type = entry.dtype.torch, type.isFloatingPoint else { return nil }
        let key = Key(source: source, layer: layer)
        if unsafe kept[key] == nil {
            let count = entry.elementCount * entry.dtype.byteCount
            guard count <= left else { return nil }
            left -= count
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
            unsafe kept[key] = buffer
            try unsafe checkpoint.read(name, at: 0, into: buffer)
        }
        guard let start = unsafe kept[key]?.baseAddress else { return nil }
        return unsafe MergeKernel.Piece(UnsafeRawPointer(start + range.lowerBound * entry.dtype.byteCount), type)
    }
}
