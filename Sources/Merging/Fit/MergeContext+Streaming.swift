internal import Engine
internal import ExportedModel
internal import Torch
internal import WorkerProtocol

/// Whether a model is held whole or streamed segment by segment: what `memory` decides. Both give the same bytes,
/// but for the rounding of large matrices that stay in 16 bits (`narrowLinear`).
extension MergeContext {
    /// The model in one segment where the estimate stays within the plan's memory, else in as many as it takes. Throws
    /// where not even one segment fits.
    static func engine(
        _ model: ExportedModel, _ settings: ResolvedSettings, _ estimate: MemoryEstimate, _ tasks: [TaskModel],
        widened: Set<Int>,
        _ layers: [Layer]
    ) throws -> SegmentedModel {
        let isLearned = settings.method.isLearned
        let isTree = settings.strategy == .hierarchical
        guard estimate.needed(settings) > settings.memory else { return SegmentedModel(model) }
        let fixed = estimate.program + (isTree ? 0 : estimate.tasks)
        let limit = max(1, settings.memory - fixed)
        let sources = isTree ? min(tasks.count, settings.fanIn * settings.fanIn) : tasks.count
        let passes = isLearned ? sources : 1
        let copies: Int64 = isLearned && passes > 1 ? 2 : 1
        // A layer that is solved for, or that a task moves, is a sum in float32.
        let lookedUp = Set(model.instructions.filter { $0.operatorName == "aten::embedding" }.flatMap(\.reads))
        let looked = Set(lookedUp.filter(model.inputs.indices.contains).flatMap { model.inputs[$0].names })
        let isSolved = estimate.solves(settings)
        let halves = widened.map { layers[$0] }.filter { layer in
            layer.dtype.byteCount == 2 && !tasks.contains { $0.moves(layer.name) }
                && (!isSolved || !looked.isDisjoint(with: layer.names))
        }
        let names = Set(halves.flatMap(\.names))
        let weights = model.inputs.enumerated().filter { $1.kind != .user }.map { slot, input in
            let bytes =
                input.names.contains(where: names.contains) && !isLearned ? 2 : copies * Int64(input.dtype.byteCount)
            return (slot, bytes * Int64(input.slot.shape.reduce(1) { $0 * ($1 ?? 1) }))
        }
        let rows = isLearned ? estimate.rows : estimate.scoredRows
        let costs = Segmentation.Costs(
            values: ValueSizes(model, batch: rows, length: estimate.length),
            weights: Dictionary(uniqueKeysWithValues: weights), passes: passes)
        let segmentation = Segmentation(model, costs, limit: limit)
        let boundaries = isLearned ? 0 : segmentation.kept * Int64(passes)
        try estimate.check(segmentation.peak - boundaries, settings)
        let crossing = segmentation.kept / Int64(max(1, segmentation.segments.count - 1))
        let perBatch = crossing / Int64(max(1, rows)) * Int64(estimate.scoredRows)
        return SegmentedModel(
            model, segmentation, group: Int(min(64, max(1, limit / 4 / max(1, perBatch)))), isStreamed: true)
    }

    /// Layers that the graph reads as weights of linear layers and embeddings alone: their readers widen 16 bits.
    static func widened(_ model: ExportedModel, _ layers: [Layer]) -> Set<Int> {
        var others: Set<Int> = []
        for instruction in model.instructions {
            let isReader = ["aten::linear", "aten::embedding"].contains(instruction.operatorName)
            var taken: Int?
            if isReader, case .slot(let slot)? = instruction.argument("weight") { taken = slot }
            let reads = instruction.reads.filter(model.inputs.indices.contains)
            for slot in reads where slot != taken || reads.count(where: { $0 == slot }) > 1 { others.insert(slot) }
        }
        let slots = model.inputs.indices.filter { slot in
            let input = model.inputs[slot]
            return input.kind == .parameter && input.dtype == .float32 && input.slot.shape.count == 2
                && !others.contains(slot) && slot != model.outputSlot
        }
        let names = Set(slots.flatMap { model.inputs[$0].names })
        let rest = Set(
            model.inputs.indices.filter { !slots.contains($0) }.flatMap { model.inputs[$0].names })
        return Set(
            layers.indices.filter { index in
                !names.isDisjoint(with: layers[index].names) && rest.isDisjoint(with: layers[index].names)
            })
    }

    /// What there is to say of a model that is streamed.
    var streamingNote: String? {
        guard let engine = evaluation?.engine, engine.isStreamed else { return nil }
        return
            "the model was streamed in \(engine.segments.count) segments to stay near "
            + "\(MemoryEstimate.text(settings.memory)) of memory; a larger memory makes the merge faster"
    }
}

extension ModelParameters {
    /// Resident or streamed, as the context's model runs.
    convenience init(_ context: MergeContext) throws {
        let streamed = context.evaluation?.engine.isStreamed == true ? context.evaluation?.model : nil
        try self.init(
            layers: context.layers, isResident: streamed == nil,
            widened: streamed.map { MergeContext.widened($0, context.layers) } ?? [])
    }
}
