internal import ExportedModel
internal import Torch

/// The parameters and buffers that some instructions read, by the graph's names: of the task checkpoints from their
/// files, a few layers at a time, and of the calibrated model.
struct CheckpointParameters {
    private let context: MergeContext
    private let evaluation: EvaluationContext
    private let merged: CalibratedWeights
    private let heads: [[String: Tensor]]
    /// Place of each layer among the context's, by the key of its names.
    private let places: [String: Int]

    init(_ context: MergeContext, _ evaluation: EvaluationContext, _ merged: CalibratedWeights) throws {
        (self.context, self.evaluation, self.merged) = (context, evaluation, merged)
        heads = try evaluation.heads.map { try $0.tensors() }
        places = Dictionary(uniqueKeysWithValues: context.layers.enumerated().map { ($1.name, $0) })
    }

    /// The layer that holds a parameter of the graph; nil where it is not merged, or where it is part of a task's head.
    func layer(_ name: String) -> Int? {
        let key = context.ties.key(of: name)
        return heads.contains { $0[key] != nil } ? nil : places[key]
    }

    /// Of a task's checkpoint, read from its files.
    func checkpoint(_ task: Int, for range: Range<Int>) throws -> [String: Tensor] {
        try parameters(task, range) { layer in
            if !context.vectors.isMoved(layer), let own = try merged.unsolved(layer) { return own }
            if !context.vectors.active[task][layer], let own = try merged.narrow(layer, from: context.base) {
                return own
            }
            return try context.vectors.checkpoint(of: task, layer: layer)
        }
    }

    /// Of the calibrated model with the task's head.
    func calibrated(_ task: Int, for range: Range<Int>) throws -> [String: Tensor] {
        try parameters(task, range) { try merged.current($0) }
    }

    private func parameters(
        _ task: Int, _ range: Range<Int>, _ tensor: (Int) throws -> Tensor
    ) throws -> [String: Tensor] {
        var found: [String: Tensor] = [:]
        for slot in evaluation.model.weightSlots(of: range) {
            let name = evaluation.model.inputs[slot].slot.name
            let key = context.ties.key(of: name)
            if let own = heads[task][key] {
                found[name] = own
            } else if let layer = places[key] {
                found[name] = try tensor(layer)
            }
        }
        return found
    }
}

extension TaskVectors {
    /// θf(i,j) in float32.
    func checkpoint(of task: Int, layer: Int) throws -> Tensor {
        let tensor = try Tensor(empty: layers[layer].shape)
        try unsafe tensor.withUnsafeMutableBytes { target in
            try unsafe forEachPiece(of: layer, folding: true, only: task) { piece in
                let place = unsafe target.baseAddress! + piece.elements.lowerBound * 4
                try unsafe MergeKernel.sum(
                    origin: piece.vectors.first ?? piece.origin, vectors: [], coefficients: [], rows: 1,
                    stride: piece.elements.count, into: place, .float32)
            }
        }
        return tensor
    }
}
