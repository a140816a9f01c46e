internal import Engine
internal import ExportedModel
internal import Safetensors
internal import Torch

/// The trunk's parameters in float32: the base's, a checkpoint's, a release's or a merge's. Resident, they are one copy
/// of the trunk, filled once; streamed, each segment's are formed from the files when it is leased. Streamed tensors
/// that a file holds in 16 bits as they are, and that nothing but linear layers and embeddings reads, stay in 16 bits:
/// these widen what they read.
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
    /// The files that hold θ(j) as it is; nil where it is a sum.
    private var stored: (Int) -> Checkpoint? = { _ in nil }
    /// The files that θ(j) is formed from.
    private var sources: (Int) -> [Checkpoint] = { _ in [] }
    /// Layers whose readers widen them.
    private let widened: Set<Int>
    private let reader = PageReader()
    /// Of the last segment, for the next one.
    private var buffers: [Tensor] = []
    private let staging: Scratch
    private static let pieceElements = 1 << 20

    /// `widened`: layers that nothing but the weights of linear layers and embeddings is read from.
    init(layers: [Layer], isResident: Bool = true, widened: Set<Int> = []) throws {
        self.layers = layers
        self.widened = widened
        self.isResident = isResident
        tensors = isResident ? try layers.map { try Tensor(empty: $0.shape) } : []
        indices = Dictionary(layers.enumerated().map { ($1.name, $0) }) { first, _ in first }
        staging = try Scratch(bytes: 8 * (layers.map { max($0.stride, Self.pieceElements) }.max() ?? 1))
    }

    /// Takes every tensor from a checkpoint, converted to float32, but for the layers that `isSkipped` names: a task's
    /// head may have another shape than the base.
    func load(_ checkpoint: Checkpoint, isSkipped: @escaping (Layer) -> Bool = { _ in false }) throws {
        stored = { _ in checkpoint }
        sources = { _ in [checkpoint] }
        try load { [unowned self] index, tensor in
            guard !isSkipped(layers[index]) else { return false }
            try fill(tensor, index, from: checkpoint)
            return true
        }
    }

    /// Takes a task's own model: the base's tensors where the task moves nothing.
    func load(task: Int, _ vectors: TaskVectors) throws {
        stored = { vectors.active[task][$0] ? nil : vectors.base }
        sources = { [vectors.base] + (vectors.active[task][$0] ? [vectors.tasks[task].checkpoint] : []) }
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
        stored = { vectors.isMoved($0) ? nil : vectors.base }
        sources = { index in [vectors.base] + vectors.movers(of: index).map { vectors.tasks[$0].checkpoint } }
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
        let needed = self.needed(inputs)
        let shapes = Set(needed.map { layers[$0].shape })
        var spare = Dictionary(grouping: buffers.filter { $0.isUnshared && shapes.contains($0.shape) }, by: \.shape)
        buffers = []
        for index in needed {
            let layer = layers[index]
            if let tensor = try narrow(index) {
                leased[layer.name] = tensor
                continue
            }
            let tensor = try spare[layer.shape]?.popLast() ?? Tensor(empty: layer.shape)
            guard try form?(index, tensor) == true else { continue }
            leased[layer.name] = tensor
            buffers.append(tensor)
        }
        return leased
    }

    func prefetch(_ inputs: [ExportedModel.Input]) {
        guard !isResident else { return }
        reader.read(
            needed(inputs).flatMap { index in
                sources(index).compactMap { $0.location(of: layers[index].name) }
            })
    }

    private func needed(_ inputs: [ExportedModel.Input]) -> [Int] {
        Set(inputs.flatMap(\.names).compactMap { indices[$0] }).sorted()
    }

    /// The layer in 16 bits, where that is what a file holds and its readers widen it.
    private func narrow(_ index: Int) throws -> Tensor? {
        guard let checkpoint = stored(index) else { return nil }
        return try narrow(index, from: checkpoint)
    }

    /// The same of a checkpoint; nil of a resident model.
    func narrow(_ index: Int, from checkpoint: Checkpoint) throws -> Tensor? {
        let layer = layers[index]
        guard !isResident, widened.contains(index), let entry = checkpoint.entry(layer.name),
            entry.shape == layer.shape,
            let type = entry.dtype.torch, type == .bfloat16 || type == .float16
        else { return nil }
        let tensor = try Tensor(narrow: layer.shape, type)
        try unsafe tensor.withUnsafeMutableBytes { try unsafe checkpoint.read(layer.name, into: $0) }
        return tensor
    }

    /// One layer of a streamed model, formed anew.
    func formed(_ index: Int) throws -> Tensor {
        if let tensor = try narrow(index) { return tensor }
        let tensor = try Tensor(empty: layers[index].shape)
        guard try form?(index, tensor) == true else {
            throw MergeError.base("the model that is loaded has no tensor \(layers[index].name)")
        }
        return tensor
    }

    private func load(_ form: @escaping (Int, Tensor) throws -> Bool) throws {
        guard isResident else {
            // What comes next may lease nothing, as calibration does: an idle segment's memory is given back.
            buffers = []
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
