internal import Safetensors
internal import Torch

/// One copy of the trunk's parameters in float32, filled in turn with the base, a checkpoint, a release or a merge.
final class ModelParameters {
    let layers: [Layer]
    /// θ(j), in the order of `layers`.
    let tensors: [Tensor]
    private let staging: Scratch

    init(layers: [Layer]) throws {
        self.layers = layers
        tensors = try layers.map { try Tensor(empty: $0.shape) }
        staging = try Scratch(capacity: layers.map { max($0.chunkStride, min($0.elementCount, 1 << 20)) }.max() ?? 1)
    }

    /// Fills every tensor from a checkpoint, converted to float32.
    func load(_ checkpoint: Checkpoint) throws {
        for (layer, tensor) in zip(layers, tensors) {
            let flat = try tensor.reshaped([layer.elementCount])
            for piece in TaskVectors.pieces(of: layer) {
                let values = try staging.read(checkpoint, layer.name, piece.elements)
                try flat.rows(from: piece.elements.lowerBound, count: piece.elements.count).copy(values)
            }
        }
    }

    /// θm(j) of one layer, in place.
    func merge(_ index: Int, _ vectors: TaskVectors, _ weights: MergingWeights) throws {
        let flat = try tensors[index].reshaped([layers[index].elementCount])
        try vectors.forEachMergedPiece(of: index, coefficients: { weights.coefficients(task: $0, layer: index) }) {
            piece, merged in
            try flat.rows(from: piece.elements.lowerBound, count: piece.elements.count).copy(merged)
        }
    }

    /// θm over all layers.
    func merge(_ vectors: TaskVectors, _ weights: MergingWeights) throws {
        for index in layers.indices {
            try merge(index, vectors, weights)
        }
    }
}
