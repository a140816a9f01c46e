internal import Files
internal import Foundation
internal import Safetensors
internal import Torch
internal import WorkerProtocol

/// Scores base, own checkpoints, deployed release and candidate on the same held-out examples, through one set of buffers.
final class Judge {
    let workbench: Workbench
    let bench: Bench
    let parameters: ModelParameters
    let scorer: Scorer
    /// What the deployed release says of each task's examples: of those scored, and of those compared.
    private var deployedOutcomes: [(scored: Scorer.Outcome, compared: Scorer.Outcome)?]
    /// Logits of each task's own checkpoint on its whole validation set, where the loss distils or there are no labels.
    private(set) var teachers: [TeacherLogits?]

    init(_ workbench: Workbench, _ bench: Bench, _ parameters: ModelParameters) {
        self.workbench = workbench
        self.bench = bench
        self.parameters = parameters
        scorer = Scorer(model: bench.model, autocast: workbench.plan.settings.precision == .bf16)
        deployedOutcomes = workbench.tasks.map { _ in nil }
        teachers = workbench.tasks.map { _ in nil }
    }

    /// Each own checkpoint, the base with each head, and the deployed release. `progress` counts passes over the tasks.
    func judgeOriginals(_ result: inout MergeResult, progress: (Int, Int) throws -> Void) throws {
        let passes = workbench.tasks.count + 2
        try judgeOwn(&result) { try progress($0, passes) }
        try parameters.load(workbench.base)
        for task in workbench.tasks.indices {
            result.tasks[task].base = try score(task, bench.heads[task].tensors())?.score
        }
        try progress(passes - 1, passes)
        if let deployed = workbench.plan.deployed { try judgeDeployed(deployed, &result) }
        try progress(passes, passes)
        let unlabelled = zip(workbench.tasks, bench.sets).filter { $1?.isLabelled == false }.map(\.0.name)
        guard !unlabelled.isEmpty else { return }
        result.notes.append("judged by \(Score.phrase(Score.agreement)): \(unlabelled.joined(separator: ", "))")
    }

    /// The first time that anything runs. What libtorch says of every one of several tasks is not theirs but the graph's fault.
    private func judgeOwn(_ result: inout MergeResult, progress: (Int) throws -> Void) throws {
        var faults: [(task: String, error: TorchError)] = []
        for (task, model) in workbench.tasks.enumerated() {
            if model.adapter == nil {
                try parameters.load(model.checkpoint) { model.owns($0.name) }
            } else {
                try parameters.load(task: task, workbench.vectors)
            }
            try MergeError.blaming(model.name) {
                do {
                    let head = try bench.heads[task].tensors()
                    if let set = bench.sets[task] {
                        try scorer.leaveOutPadding(named(head), set, bench.objectives[task])
                    }
                    if isDistilled(task) { teachers[task] = try logits(task, head) }
                    result.tasks[task].own = try outcome(task, isOwn: true, head)?.score
                } catch let error as TorchError {
                    faults.append((model.name, error))
                }
            }
            if result.tasks[task].own?.loss.isNaN == true {
                throw MergeError.task(
                    model.name, "the loss of its own checkpoint on its own examples is no number; look for NaN in them")
            }
            try progress(task + 1)
        }
        guard let first = faults.first else { return }
        guard faults.count == 1 || faults.count < bench.sets.count(where: { $0 != nil }) else {
            throw MergeError.base("the graph can't be run on any task's examples: \(first.error)")
        }
        try MergeError.blaming(first.task) { throw first.error }
    }

    private func judgeDeployed(_ deployed: DeployedSource, _ result: inout MergeResult) throws {
        let checkpoint = try Checkpoint(directory: deployed.directory)
        if let layer = workbench.layers.first(where: { checkpoint.entry($0.name)?.shape != $0.shape }) {
            result.notes.append(
                "release \(deployed.version) was not compared with: it has no \(layer.name) of shape \(layer.shape), "
                    + "so every task counts as new")
            return
        }
        try parameters.load(checkpoint)
        let deployedTasks = try Self.tasks(ofRelease: deployed.directory)
        for (task, model) in workbench.tasks.enumerated() where deployedTasks.contains(model.name) {
            let head = try Self.head(of: model.name, release: deployed.directory) ?? [:]
            do {
                guard let outcome = try score(task, head) else { continue }
                result.tasks[task].deployed = outcome.score
                deployedOutcomes[task] = (outcome, try compared(task, head, outcome))
            } catch let fault as MergeError where fault.kind == .badTask {
                // A new version may have other labels than the head that is deployed.
                result.notes.append(
                    "task \(model.name) was not compared with release \(deployed.version), whose head does not fit its "
                        + "examples: \(fault.message)")
            }
        }
    }

    /// The candidate as it was written, rounding included.
    func judgeCandidate(_ result: inout MergeResult, directory: String) throws {
        try parameters.load(Checkpoint(directory: directory))
        for task in workbench.tasks.indices {
            guard let outcome = try score(task, bench.heads[task].tensors()) else { continue }
            guard outcome.score.loss.isFinite || result.tasks[task].own?.loss.isFinite != true else {
                throw MergeError.base(
                    "the merged model's loss on \(workbench.tasks[task].name) is not finite; lower scale or learning-rate"
                )
            }
            result.tasks[task].merged = outcome.score
            guard let before = deployedOutcomes[task] else { continue }
            let after = try compared(task, bench.heads[task].tensors(), outcome)
            result.tasks[task].paired = PairedCounts(
                deployed: before.compared.predictions, candidate: after.predictions, after.metric
            )?.noting(heldOut: before.scored.predictions, outcome.predictions)
        }
    }

    /// What the release and the candidate are compared by: what was scored, or where few examples are held out what is said of
    /// all of them. Both models were fitted to the others, and a test needs some.
    private func compared(
        _ task: Int, _ head: [String: Tensor], _ scored: Scorer.Outcome
    ) throws -> Scorer.Outcome {
        guard let set = bench.sets[task], (1..<PairedCounts.fewestExamples).contains(set.heldOut.count) else {
            return scored
        }
        return try outcome(task, named(head), set, Array(0..<set.count))
    }

    /// Names of the tasks that a release has; a task without a head leaves no other trace in it.
    private static func tasks(ofRelease directory: String) throws -> Set<String> {
        let record = try JSON.decode(
            ReleaseRecord.self, from: Data(Durable.contents(directory + "/release.json")))
        return Set(record.tasks.map(\.name))
    }

    /// A release's head of one task; nil where it has none of that name.
    static func head(of task: String, release directory: String) throws -> [String: Tensor]? {
        let path = directory + "/heads/\(task).safetensors"
        guard try FileStatus.ifPresent(path) != nil else { return nil }
        let head = Checkpoint(try SafetensorsFile(file: ReadableFile(path: path)), name: path)
        return try head.parameters(head.names)
    }

    func named(_ head: [String: Tensor]) -> [String: Tensor] {
        var named = workbench.ties.keyed(head)
        for (layer, tensor) in zip(workbench.layers, parameters.tensors) where named[layer.name] == nil {
            named[layer.name] = tensor
        }
        return named
    }

    /// Throws what the model says of the task's examples as the task's fault.
    private func score(_ task: Int, _ head: [String: Tensor]) throws -> Scorer.Outcome? {
        try MergeError.blaming(workbench.tasks[task].name) { try outcome(task, head) }
    }

    /// Nil without a validation set. `isOwn`: whether it is the task's own checkpoint that is scored.
    private func outcome(_ task: Int, isOwn: Bool = false, _ head: [String: Tensor]) throws -> Scorer.Outcome? {
        guard let set = bench.sets[task] else { return nil }
        let examples = set.heldOut.isEmpty ? set.fitted : set.heldOut
        return try outcome(task, isOwn ? nil : named(head), set, examples)
    }

    /// By the labels, or without them by the agreement with the task's own checkpoint, which nil `model` stands for.
    func outcome(
        _ task: Int, _ model: [String: Tensor]?, _ set: ValidationSet, _ examples: [Int]
    ) throws -> Scorer.Outcome {
        guard !set.isLabelled, let checkpoint = teachers[task] else {
            return try scorer.score(model ?? named(bench.heads[task].tensors()), set, examples, bench.objectives[task])
        }
        return try scorer.agreement(model, set, examples, bench.objectives[task], with: checkpoint)
    }

    private func isDistilled(_ task: Int) -> Bool {
        let settings = workbench.plan.settings
        let loss = settings.loss(of: workbench.tasks[task].source.settings.objective)
        return settings.method == .supermerge && loss != .labels || bench.sets[task]?.isLabelled == false
    }

    /// What the model that is loaded says with the task's own head.
    private func logits(_ task: Int, _ head: [String: Tensor]) throws -> TeacherLogits? {
        guard let set = bench.sets[task] else { return nil }
        let model = named(head)
        let settings = workbench.plan.settings
        // Where nothing distils, a language model's logits are only looked at once or twice, and are many.
        let isLong = bench.objectives[task].kind.predictsTokens && settings.method != .supermerge
        guard settings.strategy == .hierarchical || isLong else {
            return .kept(try scorer.logits(model, set, bench.objectives[task]))
        }
        let (name, scratch) = (workbench.tasks[task].name, workbench.plan.scratch)
        return try .storing(task: name, count: set.all.count, in: scratch) { body in
            try scorer.forEachBatch(model, set, set.all, bench.objectives[task]) { logits, _ in try body(logits) }
        }
    }
}
