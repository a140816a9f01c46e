internal import ExportedGraph
internal import ExportedModel
internal import Files
internal import Safetensors
internal import Torch
internal import WorkerProtocol

/// Everything of one plan, opened: base, tasks, layers, task vectors, and where there is a graph the model and its examples.
final class Workbench {
    let plan: MergePlan
    let base: Checkpoint
    let tasks: [TaskModel]
    let layers: [Layer]
    /// Tensors of the base that are not merged (integers): copied as they are.
    let passedThrough: [String]
    let vectors: TaskVectors
    /// Nil where a static method merges without a graph or without any validation set.
    let bench: Bench?

    /// What learning and scoring need.
    struct Bench {
        let model: ExportedModel
        /// Of each task, in the plan's order; nil for a task without a validation set.
        let sets: [ValidationSet?]
        let objectives: [Objective]
        /// Each task's own head, in float32.
        let heads: [[String: Tensor]]
    }

    /// Opens the plan's files, after checking that they are the ones that were admitted.
    init(_ plan: MergePlan) throws {
        self.plan = plan
        try plan.checkStamps()
        base = try Checkpoint(directory: plan.base.directory, root: "/")
        tasks = try plan.tasks.map { [base] in try TaskModel($0, base: base) }
        let entries = base.names.compactMap { [base] in base.entry($0) }
        let byRow = plan.settings.method.isLearned && plan.settings.granularity == .row
        layers = entries.filter(\.dtype.isFloatingPoint).map { Layer($0, byRow: byRow) }
        passedThrough = entries.filter { !$0.dtype.isFloatingPoint }.map(\.name)
        vectors = try TaskVectors(base: base, tasks: tasks, layers: layers)
        bench = try Self.bench(plan, base, tasks)
    }

    private static func bench(_ plan: MergePlan, _ base: Checkpoint, _ tasks: [TaskModel]) throws -> Bench? {
        let path = plan.base.directory + "/graph.pt2"
        let learned = plan.settings.method.isLearned
        guard try FileStatus.ifPresent(path) != nil else {
            guard learned else { return nil }
            throw MergeError.base(
                "there is no graph.pt2 in \(plan.base.directory); export one with Tools/export_model.py")
        }
        guard learned || tasks.contains(where: { $0.validation != nil }) else { return nil }
        let model = try ExportedModel(ExportedGraph(archive: path))
        let names = model.signature.inputs.map(\.name)
        let sets = try tasks.map { task in
            if task.validation == nil, learned {
                throw MergeError.task(task.name, "there is no validation.safetensors; add a few labelled examples")
            }
            return try task.validation.map {
                try ValidationSet(
                    $0, task: task.name, inputNames: names, holdout: plan.settings.holdout, seed: plan.settings.seed)
            }
        }
        let heads = try tasks.map { try $0.checkpoint.parameters($0.head) }
        let known = Set(base.names)
        for (task, head) in zip(tasks, heads) {
            for slot in model.signature.parameters {
                let names = [slot.name] + slot.aliases
                guard !names.contains(where: { known.contains($0) || head[$0] != nil }) else { continue }
                throw MergeError.task(
                    task.name, "the graph's parameter \(slot.name) is in neither the base nor the task")
            }
        }
        let objectives = tasks.map { Objective(kind: $0.source.settings.objective, inputs: names) }
        return Bench(model: model, sets: sets, objectives: objectives, heads: heads)
    }

    /// Layers that the graph uses as parameters and that some task moves: the ones with a gradient.
    func trainable() -> [Int] {
        guard let bench else { return [] }
        let names = Set(bench.model.signature.parameters.flatMap { [$0.name] + $0.aliases })
        return layers.indices.filter { names.contains(layers[$0].name) && vectors.isMoved($0) }
    }
}

extension Checkpoint {
    /// The named tensors in float32 (integers as they are).
    func parameters(_ names: [String]) throws -> [String: Tensor] {
        var parameters: [String: Tensor] = [:]
        for name in names {
            let tensor = try tensor(name)
            parameters[name] = tensor.dtype.isFloatingPoint ? try tensor.to(.float32) : tensor
        }
        return parameters
    }
}
