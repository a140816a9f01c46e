internal import Files
internal import Safetensors
internal import Tasks
internal import Torch

extension TaskVectors {
    /// `merge` for what is written: throws where a number came out that is not finite, and says whose it is. Double
    /// precision that no task changes is passed on as it is; sums are in float32.
    func mergeFinite(
        _ piece: Piece, of index: Int, _ weights: MergingWeights, into result: UnsafeMutableRawPointer, _ dtype: DType
    ) throws {
        let count = unsafe piece.elements.count
        let isUnchanged =
            unsafe dtype == .float64 && piece.updates.isEmpty
            && piece.vectors.allSatisfy {
                unsafe $0.hasSameBytes(as: piece.origin, count: count)
            }
        if isUnchanged {
            unsafe result.copyMemory(from: piece.origin.bytes, byteCount: count * dtype.byteCount)
        } else {
            try unsafe merge(piece, of: index, weights, into: result, dtype)
        }
        guard unsafe !dtype.isFinite(UnsafeRawPointer(result), count: count) else { return }
        let name = layers[index].name
        guard unsafe piece.origin.isFinite(count: count) else { throw Self.notFinite(name, in: base, of: nil) }
        let vectors = unsafe piece.vectors
        for (place, task) in unsafe piece.owners.enumerated() where unsafe !vectors[place].isFinite(count: count) {
            throw Self.notFinite(name, in: tasks[task].checkpoint, of: tasks[task].name)
        }
        let (updates, owners) = unsafe (piece.updates, piece.updateOwners)
        for (update, task) in zip(updates, owners) where !update.isFinite {
            throw MergeError.task(
                tasks[task].name, "what its adapter adds to \(name) is NaN or infinite; train the adapter again")
        }
        for (place, task) in unsafe piece.owners.enumerated() {
            try unsafe MergeKernel.sum(
                origin: vectors[place], vectors: [], coefficients: [], rows: 1, stride: count, into: result, dtype)
            guard unsafe dtype.isFinite(UnsafeRawPointer(result), count: count) else {
                throw MergeError.task(
                    tasks[task].name, "its \(name) does not fit into the base's \(dtype); save the base in f32")
            }
        }
        for (update, task) in zip(updates, owners) {
            try unsafe sum(piece, [], update, into: result, dtype)
            guard unsafe dtype.isFinite(UnsafeRawPointer(result), count: count) else {
                throw MergeError.task(
                    tasks[task].name,
                    "the base with what its adapter adds to \(name) does not fit into \(dtype); train the adapter again"
                )
            }
        }
        throw MergeError.base(
            "the merged \(name) does not fit into \(dtype.rawValue); lower scale, or save the base in f32")
    }
}

extension TaskVectors {
    private static func notFinite(_ name: String, in checkpoint: Checkpoint, of task: String?) -> MergeError {
        let file = checkpoint.file(of: name)?.file.path.splitPath.name ?? TaskLayout.weights
        return AdmissionFault.notFinite(name, in: file).failure(of: task)
    }
}

extension MergeKernel.Piece {
    fileprivate func isFinite(count: Int) -> Bool { unsafe dtype.isFinite(bytes, count: count) }
}
