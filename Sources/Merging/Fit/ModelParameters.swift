internal import Engine
internal import ExportedModel
internal import Safetensors
internal import Torch

/// The trunk's parameters in float32: the base's, a checkpoint's, a release's or a merge's. Resident, they are one copy
/// of the trunk, filled once; streamed, each segment's are formed from the files when it is leased.
///
/// Memory: resident, 4 bytes a weight; streamed, those of one segment.
final class ModelParameters: ParameterSource {
    let layers: [Layer]
    let isResident: Bool
    /// θ(j), in the order of `layers`; of a streamed model none.
    let tensors: [Tensor]
    private let indices: [String: Int]
    /// Writes θ(j) into a tensor; false where the model that is loaded has none of this layer.
    private var form: ((Int, Tensor) throws -> Bool)?
    /// Of the last segment, for the next one.
    private var buffers: [Tensor] = []
    private let staging: Scratch
    private static let pieceElements = 1 << 20

    init(layers: [Layer], isResident: Bool = true) throws {
        self.layers = layers
        self.isResident = isResident
        tensors = isResident ? try layers.map { try Tensor(empty: $0.shape) } : []
        indices = Dictionary(layers.enumerated().map { ($1.name, $0) }) { first, _ in first }
        staging = try Scratch(bytes: 8 * (layers.map { max($0.stride, Self.pieceElements) }.max() ?? 1))
    }

    /// Takes every tensor from a checkpoint, converted to float32, but for the layers that `isSkipped` names: a task's
    /// head may have another shape than the base.
    func load(_ checkpoint: Checkpoint, isSkipped: @escaping (Layer) -> Bool = { _ in false }) throws {
        try load { [unowned self] index, tensor in
            guard !isSkipped(layers[index]) else { return false }
            try fill(tensor, index, from: checkpoint)
            return true
        }
    }

    /// Takes a task's own model: the base's tensors where the task moves nothing.
    func load(task: Int, _ vectors: TaskVectors) throws {
        try load { [unowned self] index, tensor in
            guard vectors.active[task][index] else {
                try fill(tensor, index, from: vectors.base)
                return true
            }
            try unsafe tensor.withUnsafeMutableBytes { target in
                try unsafe vectors.forEachPiece(of: index, folding: true, only: task) { piece in
                    guard let own = unsafe piece.vectors.first else { return }
                    let place = unsafe target.baseAddress! + piece.elements.lowerBound * 4
                    try unsafe MergeKernel.sum(
                        origin: own, vectors: [], coefficients: [], rows: 1, stride: piece.elements.count, into: place,
                        .float32)
                }
            }
            return true
        }
    }

    /// Takes θm over all layers.
    func merge(_ vectors: TaskVectors, _ weights: MergingWeights) throws {
        try load { [unowned self] index, tensor in
            try fill(tensor, index, vectors, weights)
            return true
        }
    }

    /// θm of one layer of a resident model, in place.
    func merge(_ index: Int, _ vectors: TaskVectors, _ weights: MergingWeights) throws {
        try fill(tensors[index], index, vectors, weights)
    }

    /// Takes over weights of which only those of `moved` have changed since `merge`.
    func update(_ moved: [Int], _ vectors: TaskVectors, _ weights: MergingWeights) throws {
        guard isResident else { return try merge(vectors, weights) }
        for index in moved { try merge(index, vectors, weights) }
    }

    func lease(_ inputs: [ExportedModel.Input]) throws -> [String: Tensor] {
        var leased: [String: Tensor] = [:]
        if isResident {
            for (layer, tensor) in zip(layers, tensors) { leased[layer.name] = tensor }
            return leased
        }
        let needed = Set(inputs.flatMap(\.names).compactMap { indices[$0] }).sorted()
        let shapes = Set(needed.map { layers[$0].shape })
        var spare = Dictionary(grouping: buffers.filter { $0.isUnshared && shapes.contains($0.shape) }, by: \.shape)
        buffers = []
        for index in needed {
            let layer = layers[index]
            let tensor = try spare[layer.shape]?.popLast() ?? Tensor(empty: layer.shape)
            guard try form?(index, tensor) == true else { continue }
            leased[layer.name] = tensor
            buffers.append(tensor)
        }
        return leased
    }

    private func load(_ form: @escaping (Int, Tensor) throws -> Bool) throws {
        guard isResident else {
            self.form = form
            return
        }
        for (index, tensor) in tensors.enumerated() { _ = try form(index, tensor) }
    }

    private func fill(_ tensor: Tensor, _ index: Int, from checkpoint: Checkpoint) throws {
        let layer = layers[index]
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

    private func fill(_ tensor: Tensor, _ index: Int, _ vectors: TaskVectors, _ weights: MergingWeights) throws {
        try vectors.rule.prepare(index, of: vectors)
        try unsafe tensor.withUnsafeMutableBytes { target in
            try unsafe vectors.forEachPiece(of: index) { piece in
                let place = unsafe target.baseAddress! + piece.elements.lowerBound * 4
                try unsafe vectors.merge(piece, of: index, weights, into: place, .float32)
            }
        }
    }
}
