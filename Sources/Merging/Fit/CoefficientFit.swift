internal import Engine
internal import Torch
internal import WorkerProtocol

/// The gradient descent on W (SuperMerge, arXiv 2412.10416): per step one batch of every task through θm, one ordinary
/// backward pass each, the tasks' ∂L/∂θm(j) added up, and every sum consumed by its dot products with τ(i,j) and then
/// freed. Where all τ(i,j) of a linear layer have a low rank, ∂L/∂θm(j) is never formed (`FactoredLayer`), nor where
/// only some of its rows are not zero (`RowSum`). A step is `localDots` → `reduction` → `apply`.
///
/// Memory: one float32 copy of the trunk, with several tasks one of its gradients, of low ranks their factors instead,
/// of embeddings the rows that occur, and one batch's activations; not a function of the number of tasks. Streamed,
/// these are of one segment, and what crosses the segments' boundaries for all tasks comes to it. Work per step over k
/// tasks: k forward and backward passes (streamed, all but the last segment forward twice), and two reads of the task
/// vectors, one of what is low-rank.
final class CoefficientFit {
    private(set) var state: FitState
    let context: MergeContext
    let evaluation: EvaluationContext
    let parameters: ModelParameters
    let schedule: FitSchedule
    private let watched: Set<Int>
    /// Of the watched layers those whose gradients are never formed.
    let factored: [Int: FactoredLayer]
    private let samplers: [Sampler]
    private let scorer: Scorer
    private let reduction: any Reduction
    private let teachers: [TeacherLogits?]
    /// What each task's losses are divided by: see `variance`.
    private let spreads: [Double]
    /// Of the last evaluation.
    private(set) var heldOut: [HeldOutScore] = []
    private var settings: ResolvedSettings { context.settings }

    /// `teachers` holds each task's own checkpoint's logits on its whole validation set where the loss distils.
    init(
        _ context: MergeContext, _ evaluation: EvaluationContext, _ parameters: ModelParameters, state: FitState,
        teachers: [TeacherLogits?], schedule: FitSchedule? = nil, reduction: any Reduction = SingleProcess()
    ) throws {
        self.context = context
        self.evaluation = evaluation
        self.parameters = parameters
        self.state = state
        self.teachers = teachers
        self.reduction = reduction
        self.schedule = schedule ?? FitSchedule(context.settings)
        scorer = Scorer(
            model: evaluation.engine, autocast: context.settings.precision == .bf16, passes: evaluation.passes)
        let trainable = context.trainable()
        watched = Set(trainable)
        factored = try Dictionary(
            uniqueKeysWithValues: trainable.compactMap { layer in
                try FactoredLayer(layer, of: context.vectors, state.weights).map { (layer, $0) }
            })
        samplers = zip(context.tasks, evaluation.sets).map { task, set in
            Sampler(
                examples: set?.drawn ?? [], batch: context.settings.batch, seed: context.settings.seed,
                task: task.name)
        }
        spreads = try context.tasks.indices.map { task in
            try Self.variance(evaluation.objectives[task], evaluation.sets[task], teachers[task])
        }
        try parameters.merge(context.vectors, state.weights)
    }

    /// The variance of the numbers that a task is fitted to: divided by it, squared errors are a share of what
    /// the mean alone would leave, and the unit of the numbers does not decide what the task weighs beside the others.
    /// 1 for classes, whose losses are nats, and for constants.
    private static func variance(_ objective: Objective, _ set: ValidationSet?, _ teacher: TeacherLogits?) throws
        -> Double
    {
        guard objective.kind.fitsNumbers, let set else { return 1 }
        let numbers = try set.fittedNumbers() ?? teacher?.rows(set.fitted).to(.float32).doubles() ?? []
        let width = max(1, numbers.count / set.fitted.count)
        var sum = 0.0
        for column in 0..<width {
            let own = stride(from: column, to: numbers.count, by: width).map { numbers[$0] }
            let mean = own.reduce(0, +) / Double(max(1, own.count))
            sum += own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        }
        let variance = sum / Double(max(1, numbers.count))
        return variance.isFinite && variance > 0 ? variance : 1
    }

    /// The merged trunk with one task's head.
    func model(for task: Int) throws -> ModelWeights {
        ModelWeights(own: try evaluation.heads[task].tensors(), trunk: parameters)
    }

    /// It is less work to take the layer's gradient as a product where it is never formed, or where it is added to
    /// others'. One that is alone is formed and consumed at once, and needs no memory until the pass ends.
    private func forms(_ layer: Int) -> GradientTape.Forms {
        factored[layer] != nil || context.tasks.count > 1 ? [.products, .rows] : .rows
    }

    /// One step: the mean loss over the tasks, weighted, at the weights before the update.
    func step() throws -> Double {
        let total = try reduction.sum(localDots())
        try apply(total)
        return total.loss
    }

    /// The dot products of this process's examples of the step.
    func localDots() throws -> LocalDots {
        let importance = context.tasks.map(\.source.settings.weight)
        let sum = importance.reduce(0, +)
        let tasks = context.tasks.indices.filter { evaluation.sets[$0] != nil }
        let step = try gradients(of: tasks, shares: tasks.map { importance[$0] / sum })
        try backward(tasks, step.passes, step.receiver)
        return step.receiver.local
    }

    /// The update of the weights, and of what depends on them.
    func apply(_ total: LocalDots) throws {
        guard total.dots.allSatisfy(\.isFinite) else { throw try brokenGradient() }
        state.update(gradient: state.weights.gradient(dotProducts: total.dots), schedule)
        try parameters.update(watched.sorted(), context.vectors, state.weights)
        for layer in factored.values { try layer.weigh(state.weights) }
    }

    func notFinite(_ task: Int, _ what: String) -> MergeError {
        .task(
            context.tasks[task].name,
            "its \(what) is no longer finite at step \(state.step); look at its checkpoint and examples, or lower "
                + "learning-rate"
        )
    }

    /// Finds the task whose gradient is not finite by going through the step once more; the sum does not tell.
    private func brokenGradient() throws -> MergeError {
        for task in context.tasks.indices where evaluation.sets[task] != nil {
            let step = try gradients(of: [task], shares: [1])
            let check = FinitenessCheck(step.receiver)
            try backward([task], step.passes, check)
            if !check.isFinite { return notFinite(task, "gradient") }
        }
        return .base(
            "the sum of the tasks' gradients is not finite at step \(state.step); lower scale or the tasks' weights")
    }

    /// The batches of some tasks at this step, and who takes their gradients.
    private func gradients(
        of tasks: [Int], shares: [Double]
    ) throws -> (passes: [ForwardPass], receiver: StepGradients) {
        var passes: [ForwardPass] = []
        var batches: [StepGradients.Batch] = []
        for task in tasks {
            guard let set = evaluation.sets[task] else { continue }
            let indices = samplers[task].indices(step: state.step)
            let (inputs, labels) = try set.batch(indices)
            batches.append(.init(indices: indices, inputs: inputs, labels: labels))
            let rows = try MergeError.blaming(context.tasks[task].name) {
                try evaluation.objectives[task].rows(of: inputs, for: evaluation.model.signature)
            }
            let output = evaluation.objectives[task].output
            passes.append(ForwardPass(inputs: rows, own: try evaluation.heads[task].tensors(), output: output))
        }
        return (passes, StepGradients(self, tasks: tasks, batches: batches, shares: shares))
    }

    private func backward(_ tasks: [Int], _ passes: [ForwardPass], _ receiver: some GradientReceiver) throws {
        let named = watched.map { layer in
            (context.layers[layer].name, WatchedParameter(layer: layer, forms: forms(layer)))
        }
        try evaluation.engine.backward(
            passes, parameters, watching: Dictionary(named) { first, _ in first },
            autocast: settings.precision == .bf16, receiver)
    }

    /// The loss of a task's batch, given what the graph puts out.
    func loss(_ task: Int, _ output: Tensor, _ batch: StepGradients.Batch) throws -> Tensor {
        let objective = evaluation.objectives[task]
        let logits = try TorchRuntime.withAutocast(settings.precision == .bf16) {
            try objective.logits(from: output, batch.inputs)
        }
        let scored = try objective.labels(batch.labels, for: logits, batch.inputs)
        return try loss(task, logits, scored, batch.indices)
    }

    private func loss(_ task: Int, _ logits: Tensor, _ labels: Tensor, _ indices: [Int]) throws -> Tensor {
        let loss = try unscaledLoss(task, logits, labels, indices)
        return spreads[task] == 1 ? loss : try loss.divided(by: spreads[task])
    }

    private func unscaledLoss(_ task: Int, _ logits: Tensor, _ labels: Tensor, _ indices: [Int]) throws -> Tensor {
        let objective = evaluation.objectives[task]
        if settings.method == .adamerging { return try objective.entropy(logits, labels) }
        let isLabelled = evaluation.sets[task]?.isLabelled != false
        let kind = isLabelled ? settings.loss(of: objective.kind) : .distillation
        guard kind != .labels, let teacher = teachers[task] else { return try objective.loss(logits, labels) }
        let distilled = try objective.distillation(logits, teacher: teacher.rows(indices), labels: labels)
        guard kind == .both else { return distilled }
        return try distilled.adding(objective.loss(logits, labels)).multiplied(by: 0.5)
    }

    /// Mean held-out loss over the tasks, by their weights, in the loss that is fitted: per prediction, as `Scorer`
    /// counts them. Nil where nothing is held out.
    func heldOutLoss() throws -> Double? {
        var total = 0.0
        var sum = 0.0
        heldOut = []
        for (task, set) in evaluation.sets.enumerated() {
            guard let set, !set.heldOut.isEmpty else { continue }
            let named = try model(for: task)
            var taskLoss = 0.0
            var start = 0
            var scored = 0
            var metric = RunningMetric(evaluation.objectives[task])
            try scorer.forEachBatch(named, set, set.heldOut, evaluation.objectives[task]) { logits, labels in
                let indices = Array(set.heldOut[start...].prefix(scorer.batch(of: set)))
                let count = try evaluation.objectives[task].scored(logits, labels)
                taskLoss += try loss(task, logits, labels, indices).item() * Double(count)
                scored += count
                start += indices.count
                try metric.add(logits, labels, checkpoint: set.isLabelled ? nil : teachers[task]?.rows(indices))
            }
            guard scored > 0 else { continue }
            let importance = context.tasks[task].source.settings.weight
            total += importance * taskLoss / Double(scored)
            sum += importance
            heldOut.append(
                HeldOutScore(
                    task: context.tasks[task].name, loss: taskLoss * spreads[task] / Double(scored),
                    metric: set.isLabelled ? metric.metric.rawValue : Score.agreement,
                    value: metric.value))
        }
        return sum > 0 ? total / sum : nil
    }

    /// Looks at the held-out loss and keeps the weights if they are the best so far.
    func look(lastLoss: Double?) throws {
        state.record(heldOut: try heldOutLoss(), lastLoss: lastLoss)
    }
}
