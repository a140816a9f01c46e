internal import Engine
internal import Files
internal import Foundation
internal import Safetensors
internal import Torch
internal import WorkerProtocol

/// Scores base, own checkpoints, deployed release and candidate on the same held-out examples, through one set of
/// buffers.
final class ModelEvaluator {
    let context: MergeContext
    let evaluation: EvaluationContext
    let parameters: ModelParameters
    let scorer: Scorer
    /// What the deployed release says of each task's examples: of those scored, and of those compared.
    private var deployedOutcomes: [(scored: Scorer.Outcome, compared: Scorer.Outcome)?]
    /// Logits of each task's own checkpoint on its whole validation set, where the loss distils or there are no labels.
    private(set) var teachers: [TeacherLogits?]

    init(_ context: MergeContext, _ evaluation: EvaluationContext, _ parameters: ModelParameters) {
        self.context = context
        self.evaluation = evaluation
        self.parameters = parameters
        scorer = Scorer(
            model: evaluation.engine, autocast: context.settings.precision == .bf16, passes: evaluation.passes)
        deployedOutcomes = context.tasks.map { _ in nil }
        teachers = context.tasks.map { _ in nil }
    }

    /// Each own checkpoint, the base with each head, and the deployed release. `progress` counts passes over the tasks.
    func scoreOriginals(_ result: inout MergeResult, progress: (Int, Int) throws -> Void) throws {
        let passes = context.tasks.count + 2
        try scoreTaskCheckpoints(&result) { try progress($0, passes) }
        try parameters.load(context.base)
        for task in context.tasks.indices {
            result.tasks[task].base = try score(task, evaluation.heads[task].tensors())?.score
        }
        try progress(passes - 1, passes)
        if let deployed = context.plan.deployed { try scoreDeployed(deployed, &result) }
        try progress(passes, passes)
        let unlabelled = zip(context.tasks, evaluation.sets).filter { $1?.isLabelled == false }.map(\.0.name)
        guard !unlabelled.isEmpty else { return }
        result.notes.append("judged by \(Score.phrase(Score.agreement)): \(unlabelled.joined(separator: ", "))")
    }

    /// The first time that anything runs. What libtorch says of every one of several tasks is not theirs but the
    /// graph's fault.
    private func scoreTaskCheckpoints(_ result: inout MergeResult, progress: (Int) throws -> Void) throws {
        var faults: [(task: String, error: TorchError)] = []
        for (task, model) in context.tasks.enumerated() {
            if model.adapter == nil {
                try parameters.load(model.checkpoint) { model.owns($0.name) }
            } else {
                try parameters.load(task: task, context.vectors)
            }
            try MergeError.blaming(model.name) {
                do {
                    let head = try evaluation.heads[task].tensors()
                    if let set = evaluation.sets[task] {
                        try scorer.leaveOutPadding(named(head), set, evaluation.objectives[task])
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
        guard faults.count == 1 || faults.count < evaluation.sets.count(where: { $0 != nil }) else {
            throw MergeError.base("the graph can't be run on any task's examples: \(first.error)")
        }
        try MergeError.blaming(first.task) { throw first.error }
    }

    private func scoreDeployed(_ deployed: DeployedSource, _ result: inout MergeResult) throws {
        let checkpoint = try Checkpoint(directory: deployed.directory)
        if let layer = context.layers.first(where: { checkpoint.entry($0.name)?.shape != $0.shape }) {
            result.notes.append(
                "release \(deployed.version) was not compared with: it has no \(layer.name) of shape \(layer.shape), "
                    + "so every task counts as new")
            return
        }
        try parameters.load(checkpoint)
        let deployedTasks = Set(deployed.record?.tasks.map(\.name) ?? [])
        for (task, model) in context.tasks.enumerated() where deployedTasks.contains(model.name) {
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
        for task in context.tasks.indices {
            guard let outcome = try score(task, evaluation.heads[task].tensors()) else { continue }
            guard outcome.score.loss.isFinite || result.tasks[task].own?.loss.isFinite != true else {
                throw MergeError.base(
                    "the merged model's loss on \(context.tasks[task].name) is not finite; lower scale or learning-rate"
                )
            }
            result.tasks[task].merged = outcome.score
            guard let before = deployedOutcomes[task] else { continue }
            let after = try compared(task, evaluation.heads[task].tensors(), outcome)
            result.tasks[task].paired = PairedCounts(
                deployed: before.compared.predictions, candidate: after.predictions, after.metric
            )?.noting(heldOut: before.scored.predictions, outcome.predictions)
        }
    }

    /// What the release and the candidate are compared by: what was scored, or where few examples are held out what is
    /// said of all of them. Both models were fitted to the others, and a test needs some.
    private func compared(
        _ task: Int, _ head: [String: Tensor], _ scored: Scorer.Outcome
    ) throws -> Scorer.Outcome {
        guard let set = evaluation.sets[task], (1..<PairedCounts.fewestExamples).contains(set.heldOut.count) else {
            return scored
        }
        return try outcome(task, named(head), set, Array(0..<set.count))
    }

    /// A release's head of one task; nil where it has none of that name.
    static func head(of task: String, release directory: String) throws -> [String: Tensor]? {
        let path = directory + "/heads/\(task).safetensors"
        guard try FileStatus.ifPresent(path) != nil else { return nil }
        let head = Checkpoint(try SafetensorsFile(file: ReadableFile(path: path)), name: path)
        return try head.parameters(head.names)
    }

    /// The trunk that is loaded, with a head.
    func named(_ head: [String: Tensor]) -> ModelWeights {
        ModelWeights(own: context.ties.keyed(head), trunk: parameters)
    }

    /// Throws what the model says of the task's examples as the task's fault.
    private func score(_ task: Int, _ head: [String: Tensor]) throws -> Scorer.Outcome? {
        try MergeError.blaming(context.tasks[task].name) { try outcome(task, head) }
    }

    /// Nil without a validation set. `isOwn`: whether it is the task's own checkpoint that is scored.
    private func outcome(_ task: Int, isOwn: Bool = false, _ head: [String: Tensor]) throws -> Scorer.Outcome? {
        guard let set = evaluation.sets[task] else { return nil }
        let examples = set.heldOut.isEmpty ? set.fitted : set.heldOut
        return try outcome(task, isOwn ? nil : named(head), set, examples)
    }

    /// By the labels, or without them by the agreement with the task's own checkpoint, which nil `model` stands for.
    /// `byTokens`: no text is written, and the tokens are judged.
    func outcome(
        _ task: Int, _ model: ModelWeights?, _ set: ValidationSet, _ examples: [Int], byTokens: Bool = false
    ) throws -> Scorer.Outcome {
        guard !set.isLabelled, let checkpoint = teachers[task] else {
            let objective = evaluation.objectives[task]
            return try scorer.score(
                model ?? named(evaluation.heads[task].tensors()), set, examples,
                byTokens ? objective.byTokens : objective)
        }
        return try scorer.agreement(model, set, examples, evaluation.objectives[task], with: checkpoint)
    }

    private func isDistilled(_ task: Int) -> Bool {
        let settings = context.settings
        let loss = settings.loss(of: context.tasks[task].source.settings.objective)
        let learnsFromIt = settings.method == .supermerge
        return learnsFromIt && loss != .labels || evaluation.sets[task]?.isLabelled == false
    }

    /// What the model that is loaded says with the task's own head.
    private func logits(_ task: Int, _ head: [String: Tensor]) throws -> TeacherLogits? {
        guard let set = evaluation.sets[task] else { return nil }
        let model = named(head)
        let settings = context.settings
        // Where nothing distils, a language model's logits are only looked at once or twice, and are many.
        let isLong = evaluation.objectives[task].kind.predictsTokens && settings.method != .supermerge
        guard settings.strategy == .hierarchical || isLong || evaluation.engine.isStreamed else {
            return .kept(try scorer.logits(model, set, evaluation.objectives[task]))
        }
        let (name, scratch) = (context.tasks[task].name, context.plan.scratch)
        return try .storing(task: name, count: set.all.count, in: scratch) { body in
            try scorer.forEachBatch(model, set, set.all, evaluation.objectives[task]) { logits, _ in try body(logits) }
        }
    }
}
