internal import Torch

/// The factors of structured task vectors in float32, kept up to a fixed number of bytes, so that a fit reads and
/// converts small ones once.
final class FactorCache {
    private struct Key: Hashable {
        var task: Int
        var layer: Int
    }

    private var left: Int
    private var kept: [Key: MergeKernel.Update] = [:]

    init(bytes: Int) { left = bytes }

    /// What is kept, else what `read` gives, which is kept where it is worth it and fits.
    func update(
        task: Int, layer: Int, keeps: Bool, _ read: () throws -> MergeKernel.Update
    ) rethrows -> MergeKernel.Update {
        let key = Key(task: task, layer: layer)
        if let update = kept[key] { return update }
        let update = try read()
        let bytes = 4 * (update.left.count + update.right.count)
        if keeps, bytes <= left {
            left -= bytes
            kept[key] = update
        }
        return update
    }
}
