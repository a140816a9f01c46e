internal import ExportedModel
internal import Safetensors
internal import Torch
internal import WorkerProtocol

/// What learning and scoring need.
struct Bench {
    let model: ExportedModel
    /// Of each task, in the plan's order; nil for a task without a validation set.
    let sets: [ValidationSet?]
    let objectives: [Objective]
    /// Each task's own head, in float32, by the keys of `TiedNames`.
    let heads: [[String: Tensor]]

    /// Reads the heads and the validation sets.
    init(_ plan: MergePlan, _ model: ExportedModel, _ base: Checkpoint, _ tasks: [TaskModel], _ ties: TiedNames) throws
    {
        self.model = model
        let inputs = model.signature.inputs.map(\.name)
        sets = try tasks.map { task in
            if task.validation == nil, plan.settings.method.isLearned {
                throw MergeError.task(task.name, "there is no validation.safetensors; add a few labelled examples")
            }
            return try task.validation.map {
                try ValidationSet(
                    $0, task: task.name, inputNames: inputs, holdout: plan.settings.holdout, seed: plan.settings.seed)
            }
        }
        heads = try tasks.map { ties.keyed(try $0.checkpoint.parameters($0.head, of: $0.name)) }
        for (task, head) in zip(tasks, heads) {
            for slot in model.signature.parameters where head[ties.key(of: slot.name)] == nil {
                guard base.entry(slot.name) == nil || task.owns(slot.name) else { continue }
                throw MergeError.task(
                    task.name,
                    "the checkpoint lacks the graph's parameter \(slot.name), which belongs to its head; save the whole "
                        + "model, with its head")
            }
        }
        objectives = tasks.map { Objective(kind: $0.source.settings.objective, inputs: inputs) }
    }
}
