internal import ExportedModel
internal import Safetensors
internal import Torch
internal import WorkerProtocol

/// What learning and scoring need.
struct EvaluationContext {
    let model: ExportedModel
    /// Of each task, in the plan's order; nil for a task without a validation set.
    private(set) var sets: [ValidationSet?]
    private(set) var objectives: [Objective]
    /// Each task's own head.
    private(set) var heads: [TaskHead]
    /// Of everything that runs over these examples.
    let passes = PassCounter()

    /// Opens the heads and the validation sets; a hierarchical merge leaves their content in the files.
    init(
        _ plan: MergePlan, _ settings: ResolvedSettings, _ model: ExportedModel, _ base: Checkpoint,
        _ tasks: [TaskModel], _ ties: TiedNames
    ) throws {
        self.model = model
        let inputs = model.signature.inputs.map(\.name)
        let decoderStart = try DecoderStart(base: plan.base.directory)
        let isResident = settings.strategy != .hierarchical
        sets = try tasks.map { task in
            if task.validation == nil, settings.method.needsExamples {
                throw MergeError.task(task.name, "there is no validation.safetensors; add a few examples")
            }
            let objective = task.source.settings.objective
            if let fault = Objective.fault(task.source.settings, inputs: inputs) {
                throw MergeError.task(task.name, fault)
            }
            guard task.validation?.entry("labels") != nil || task.validation == nil || !settings.needsLabels(objective)
            else {
                throw MergeError.task(
                    task.name,
                    "the validation set has no tensor labels, which loss \(settings.loss.rawValue) needs for "
                        + "\(objective.rawValue); add one label per example, or set loss to distillation")
            }
            let distils = settings.method == .supermerge && settings.loss(of: objective) == .distillation
            return try task.validation.map { file in
                try ValidationSet(
                    file, task: task.name,
                    inputNames: model.signature.inputNames(of: file, task: task.name, objective), objective: objective,
                    decoderStart: decoderStart, holdout: settings.holdout,
                    seed: settings.seed,
                    isResident: isResident, mixup: distils ? settings.mixup : 0)
            }
        }
        heads = try tasks.map { try TaskHead($0, ties, isResident: isResident) }
        for (task, head) in zip(tasks, heads) {
            for slot in model.signature.parameters where !head.names.contains(ties.key(of: slot.name)) {
                guard base.entry(slot.name) == nil || task.owns(slot.name) else { continue }
                throw MergeError.task(
                    task.name,
                    "the checkpoint lacks the graph's parameter \(slot.name), which belongs to its head; save the whole "
                        + "model, with its head")
            }
        }
        objectives = tasks.map { Objective($0.source.settings, inputs: inputs) }
    }

    /// What some of the tasks need, by their places.
    func of(_ tasks: [Int]) -> EvaluationContext {
        var evaluation = self
        evaluation.sets = tasks.map { sets[$0] }
        evaluation.heads = tasks.map { heads[$0] }
        evaluation.objectives = tasks.map { objectives[$0] }
        return evaluation
    }

    /// Bytes of the tasks' examples and heads in memory.
    var residentBytes: Int {
        sets.reduce(0) { $0 + ($1?.residentBytes ?? 0) } + heads.reduce(0) { $0 + $1.residentBytes }
    }
}
