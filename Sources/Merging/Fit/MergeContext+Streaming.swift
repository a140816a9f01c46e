internal import Engine
internal import ExportedModel
internal import Torch
internal import WorkerProtocol

/// Whether a model is held whole or streamed segment by segment: what `memory` decides. Both give the same bytes.
extension MergeContext {
    /// The model in one segment where the estimate stays within the plan's memory, else in as many as it takes.
    static func engine(
        _ model: ExportedModel, _ settings: ResolvedSettings, _ estimate: MemoryEstimate, tasks: Int
    ) -> SegmentedModel {
        let isLearned = settings.method.isLearned
        let isTree = settings.strategy == .hierarchical
        let needed = !isLearned ? estimate.scoring : isTree ? estimate.hierarchical : estimate.joint
        guard needed > settings.memory else { return SegmentedModel(model) }
        let fixed = estimate.program + (isTree ? 0 : estimate.tasks)
        let limit = max(1, settings.memory - fixed)
        let sources = isTree ? min(tasks, settings.fanIn * settings.fanIn) : tasks
        let passes = isLearned ? sources : 1
        let copies: Int64 = isLearned && passes > 1 ? 2 : 1
        let weights = model.inputs.enumerated().filter { $1.kind != .user }.map { slot, input in
            (slot, copies * Int64(input.dtype.byteCount) * Int64(input.slot.shape.reduce(1) { $0 * ($1 ?? 1) }))
        }
        let costs = Segmentation.Costs(
            values: ValueSizes(model, batch: estimate.rows, length: estimate.length),
            weights: Dictionary(uniqueKeysWithValues: weights), passes: passes)
        let segmentation = Segmentation(model, costs, limit: limit)
        let crossing = segmentation.kept / Int64(max(1, segmentation.segments.count - 1))
        let perBatch = crossing / Int64(max(1, estimate.rows)) * Int64(Scorer.batch)
        return SegmentedModel(model, segmentation, group: Int(min(16, max(1, limit / 4 / max(1, perBatch)))))
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
        try self.init(layers: context.layers, isResident: context.evaluation?.engine.isStreamed != true)
    }
}
