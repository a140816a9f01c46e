internal import Engine
internal import ExportedModel
internal import Safetensors
internal import Tasks
internal import Torch
internal import WorkerProtocol

/// What learning and scoring need.
struct EvaluationContext {
    let engine: SegmentedModel
    var model: ExportedModel { engine.model }
    /// Of each task, in the plan's order; nil for a task without a validation set.
    private(set) var sets: [ValidationSet?]
    private(set) var objectives: [Objective]
    /// Each task's own head.
    private(set) var heads: [TaskHead]
    /// Of everything that runs over these examples.
    let passes = PassCounter()

    /// Opens the heads and the validation sets; a hierarchical merge leaves their content in the files.
    init(
        _ plan: MergePlan, _ settings: ResolvedSettings, _ engine: SegmentedModel, _ base: Checkpoint,
        _ tasks: [TaskModel], _ ties: TiedNames
    ) throws {
        self.engine = engine
        let model = engine.model
        let inputs = model.signature.inputs.map(\.name)
        let start = try DecoderStart(base: plan.base.directory)
        let isResident = settings.strategy != .hierarchical
        sets = try tasks.map { task in
            let objective = task.source.settings.objective
            guard let file = task.validation else {
                guard settings.method.needsExamples else { return nil }
                throw AdmissionFault.missingExamples.failure(of: task.name)
            }
            let check = ValidationCheck(
                signature: model.signature, objective: objective, needsLabels: settings.needsLabels(objective),
                decoderStart: start)
            let names: [String]
            do throws(AdmissionFault) {
                _ = try check.check(file)
                names = try check.inputNames(of: file)
            } catch {
                throw error.failure(of: task.name)
            }
            let distils = settings.method == .supermerge && settings.loss(of: objective) == .distillation
            return try ValidationSet(
                file, task: task.name, inputNames: names, objective: objective, decoderStart: start,
                holdout: settings.holdout, seed: settings.seed, isResident: isResident,
                mixup: distils ? settings.mixup : 0)
        }
        heads = try tasks.map { try TaskHead($0, ties, isResident: isResident) }
        for (task, head) in zip(tasks, heads) where !model.signature.needsNoHead(task.source.settings.objective) {
            for slot in model.signature.parameters where !head.names.contains(ties.key(of: slot.name)) {
                guard base.entry(slot.name) == nil || task.owns(slot.name) else { continue }
                throw AdmissionFault.missingParameters([slot.name]).failure(of: task.name)
            }
        }
        objectives = try tasks.map { task in
            var objective = Objective(task.source.settings, inputs: inputs)
            objective.tags = try SpanTags.names(of: task.source, base: plan.base.directory)
            guard task.validation?.entry(ValidationCheck.labels) != nil else { return objective }
            objective.generation = try Generation(task.name, task.source.settings, base: plan.base.directory)
            return objective
        }
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
