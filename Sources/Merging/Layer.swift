internal import Safetensors

/// Layer j of the paper: one named parameter tensor that base and task checkpoints share.
struct Layer: Hashable, Sendable {
    let name: String
    let shape: [Int]
    /// The base's type, which the merged tensor is rounded to.
    let dtype: SafetensorsDType
    /// Weights per task: 1, or the size of the first axis at granularity `row`. Vectors have one weight.
    let weightRows: Int

    init(_ entry: TensorEntry, byRow: Bool) {
        name = entry.name
        shape = entry.shape
        dtype = entry.dtype
        weightRows = byRow && entry.shape.count > 1 ? entry.shape[0] : 1
    }

    var elementCount: Int { shape.reduce(1, *) }
    /// Size of the axis that chunks are cut along, and elements of one step on it.
    var chunkAxis: Int { shape.count > 1 ? shape[0] : elementCount }
    var chunkStride: Int { shape.count > 1 ? elementCount / max(1, shape[0]) : 1 }
}
