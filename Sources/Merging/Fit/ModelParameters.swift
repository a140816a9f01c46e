internal import Safetensors
internal import Torch

/// One copy of the trunk's parameters in float32, filled in turn with the base, a checkpoint, a release or a merge.
final class ModelParameters {
    let layers: [Layer]
    /// θ(j), in the order of `layers`.
    let tensors: [Tensor]
    private let staging: Scratch
    private static let pieceElements = 1 << 20

    init(layers: [Layer]) throws {
        self.layers = layers
        tensors = try layers.map { try Tensor(empty: $0.shape) }
        staging = try Scratch(bytes: 8 * (layers.map { max($0.stride, Self.pieceElements) }.max() ?? 1))
    }

    /// Fills every tensor from a checkpoint, converted to float32, but for the layers that `isSkipped` names: a task's head
    /// may have another shape than the base.
    func load(_ checkpoint: Checkpoint, isSkipped: (Layer) -> Bool = { _ in false }) throws {
        for (layer, tensor) in zip(layers, tensors) where !isSkipped(layer) {
            try unsafe tensor.withUnsafeMutableBytes { target in
                for elements in layer.pieces(of: Self.pieceElements) {
                    let piece = try unsafe staging.read(checkpoint, layer.name, elements)
                    let place = unsafe target.baseAddress! + elements.lowerBound * 4
                    try unsafe MergeKernel.sum(
                        origin: piece, vectors: [], coefficients: [], rows: 1, stride: elements.count, into: place,
                        .float32)
                }
            }
        }
    }

    /// Fills every tensor with a task's own model: the base's where the task moves nothing.
    func load(task: Int, _ vectors: TaskVectors) throws {
        let moved = Set(layers.indices.filter { vectors.active[task][$0] }.map { layers[$0].name })
        try load(vectors.base) { moved.contains($0.name) }
        for index in layers.indices where vectors.active[task][index] {
            try unsafe tensors[index].withUnsafeMutableBytes { target in
                try unsafe vectors.forEachPiece(of: index, folding: true, only: task) { piece in
                    guard let own = unsafe piece.vectors.first else { return }
                    let place = unsafe target.baseAddress! + piece.elements.lowerBound * 4
                    try unsafe MergeKernel.sum(
                        origin: own, vectors: [], coefficients: [], rows: 1, stride: piece.elements.count, into: place,
                        .float32)
                }
            }
        }
    }

    /// θm(j) of one layer, in place.
    func merge(_ index: Int, _ vectors: TaskVectors, _ weights: MergingWeights) throws {
        try vectors.rule.prepare(index, of: vectors)
        try unsafe tensors[index].withUnsafeMutableBytes { target in
            try unsafe vectors.forEachPiece(of: index) { piece in
                let place = unsafe target.baseAddress! + piece.elements.lowerBound * 4
                try unsafe vectors.merge(piece, of: index, weights, into: place, .float32)
            }
        }
    }

    /// θm over all layers.
    func merge(_ vectors: TaskVectors, _ weights: MergingWeights) throws {
        for index in layers.indices { try merge(index, vectors, weights) }
    }
}
