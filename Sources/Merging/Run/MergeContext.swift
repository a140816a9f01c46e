internal import Engine
internal import ExportedGraph
internal import Files
internal import ModelFamilies
internal import Safetensors
internal import Tasks
internal import Torch
internal import WorkerProtocol

/// Everything of one plan, opened: base, tasks, layers, task vectors, and where there is a graph the model and its
/// examples.
final class MergeContext {
    /// As it was asked for.
    let plan: MergePlan
    /// What the plan asks for, resolved.
    let settings: ResolvedSettings
    let base: Checkpoint
    let tasks: [TaskModel]
    let layers: [Layer]
    /// Tensors of the base that are not merged (integers): copied as they are.
    let passedThrough: [String]
    let vectors: TaskVectors
    let ties: TiedNames
    /// Nil where a static method merges without a graph or without any validation set.
    let evaluation: EvaluationContext?
    /// Floating point operations of a forward pass of a batch; nil where no graph is run.
    let flopsPerPass: Double?
    /// Why a static method merges without scores although there are examples; else nil.
    let unscored: String?
    /// How the tasks are fitted together; nil where nothing is learned.
    let choice: StrategyChoice?
    /// Why a fit does not calibrate although `start` is auto; else nil.
    let uncalibrated: String?
    /// Whether the values of a resident model that is calibrated wait in a file.
    let spills: Bool

    /// Opens the plan's files, after checking that they are the ones that were admitted. `isInEvaluationContext`:
    /// whether anything is to be fitted or scored. `recorded`: the plan is that of a release, which tied these names
    /// and was refused for none.
    init(_ plan: MergePlan, isInEvaluationContext: Bool = true, recorded: RecordedTies? = nil) throws {
        try plan.checkStamps()
        var unscored: String?
        let isGraphless = recorded == .nothing
        let graph = try isGraphless ? nil : Self.usable(plan, otherwise: &unscored) { try Self.graph(plan) }
        let files = try BaseWeights.open(directory: plan.base.directory, graph: graph)
        if recorded == nil, let signature = graph?.signature,
            let fault = signature.missingTrunk(in: files) ?? signature.misnaming(in: files)
        {
            throw MergeError.base(fault)
        }
        let isConfigured = graph == nil && (recorded ?? .configuration) == .configuration
        let configured =
            try isConfigured ? ConfiguredTies.groups(directory: plan.base.directory, weights: files) : []
        let ties = TiedNames(graph?.signature, base: files, configured: configured)
        let base = files.tying(ties.groups)
        self.base = base
        self.ties = ties
        let entries = base.names.compactMap { base.entry($0) }
        let resolved = try plan.resolvedSettings()
        let granularity = resolved.method.isLearned ? resolved.granularity : .tensor
        layers = try Self.layers(entries.filter(\.dtype.isFloatingPoint), ties, granularity)
        passedThrough = entries.filter { !$0.dtype.isFloatingPoint }.map(\.name)
        tasks = try plan.tasks.map { try TaskModel($0, base: base, ties: ties) }
        if recorded == nil {
            try ties.check(files)
            for task in tasks { try ties.check(task.checkpoint, of: task.name) }
        }
        vectors = try TaskVectors(
            base: base, tasks: tasks, layers: layers, hashing: plan.hasUnhashedFiles)
        let estimate = graph.map { [layers, tasks] in MemoryEstimate(plan, $0, layers, tasks) }
        choice = plan.settings.method.isLearned ? estimate.map { StrategyChoice(for: plan, $0) } : nil
        uncalibrated = estimate.flatMap { $0.uncalibrated(plan.settings) }
        spills = estimate?.spills == true
        self.plan = plan
        let settings = resolved.taking(choice?.strategy)
        self.settings = settings
        let hasExamples = tasks.contains { $0.validation != nil }
        if isInEvaluationContext, let graph, let estimate, settings.method.needsExamples || hasExamples {
            let model = try Self.usable(plan, otherwise: &unscored) { try Self.model(graph) }
            flopsPerPass = model.map {
                OperationCount($0, batch: estimate.rows, length: estimate.length).forward
            }
            evaluation = try model.map { [tasks, layers] model in
                let engine = try Self.engine(
                    model, settings, estimate, tasks, widened: Self.widened(model, layers), layers)
                return try EvaluationContext(plan, settings, engine, base, tasks, ties)
            }
        } else {
            (evaluation, flopsPerPass) = (nil, nil)
        }
        self.unscored = hasExamples ? unscored : nil
    }

    /// What the plan's merge will take, from the headers of its files and the graph; nil where nothing is learned: then
    /// it is a few pieces of the files, whatever their number.
    static func estimate(_ plan: MergePlan) throws -> MergeEstimate? {
        guard plan.settings.method.needsExamples else { return nil }
        let graph = try graph(plan)
        let files = try BaseWeights.open(directory: plan.base.directory, graph: graph)
        let ties = TiedNames(graph.signature, base: files)
        let base = files.tying(ties.groups)
        let entries = base.names.compactMap { base.entry($0) }.filter(\.dtype.isFloatingPoint)
        let tasks = try plan.tasks.map { try TaskModel($0, base: base, ties: ties) }
        let estimate = MemoryEstimate(
            plan, graph, try layers(entries, ties, plan.resolvedSettings().granularity), tasks)
        let isLearned = plan.settings.method.isLearned
        let choice =
            isLearned
            ? StrategyChoice(for: plan, estimate)
            : StrategyChoice(strategy: .joint, reason: "all tasks pass through the layers together")
        let settings = try plan.resolvedSettings().taking(isLearned ? choice.strategy : nil)
        let needed = estimate.needed(settings)
        let calibrates = plan.settings.calibrates && estimate.uncalibrated(plan.settings) == nil
        let passes = plan.mostPasses(settings, tasks, calibrates: calibrates)
        let newTokens = Generation.newTokens(of: plan.tasks)
        guard needed > settings.memory else {
            let isAlone = choice.strategy == .hierarchical || !calibrates
            return MergeEstimate(
                strategy: choice, memory: isAlone ? needed : max(needed, estimate.layerwise), passes: passes,
                newTokens: newTokens)
        }
        let solves = !isLearned || calibrates && choice.strategy != .hierarchical
        return MergeEstimate(
            strategy: choice, memory: max(min(needed, settings.memory), solves ? estimate.streamedLayerwise : 0),
            weights: .streamed,
            readBytes: base.size + tasks.reduce(0) { $0 + $1.checkpoint.size + ($1.adapter?.file.file.size ?? 0) },
            passes: passes, newTokens: newTokens)
    }

    /// Some tasks of another context, by their places, over task vectors that need not be theirs.
    init(_ whole: MergeContext, tasks places: [Int], vectors: TaskVectors) {
        var plan = whole.plan
        plan.tasks = places.map { whole.plan.tasks[$0] }
        self.plan = plan
        settings = whole.settings
        base = whole.base
        tasks = places.map { whole.tasks[$0] }
        layers = whole.layers
        passedThrough = whole.passedThrough
        self.vectors = vectors
        ties = whole.ties
        evaluation = whole.evaluation?.of(places)
        flopsPerPass = whole.flopsPerPass
        unscored = whole.unscored
        choice = whole.choice
        (uncalibrated, spills) = (whole.uncalibrated, whole.spills)
    }

    /// The plan with its settings as they were resolved.
    var pinnedPlan: MergePlan {
        var plan = plan
        plan.settings = settings.pinned
        return plan
    }

    /// One layer for each tensor, whatever it is called: the names of a tied one are one layer.
    static func layers(_ entries: [TensorEntry], _ ties: TiedNames, _ granularity: MergeSettings.Granularity)
        throws
        -> [Layer]
    {
        var aliases: [String: [TensorEntry]] = [:]
        for entry in entries where ties.key(of: entry.name) != entry.name {
            aliases[ties.key(of: entry.name), default: []].append(entry)
        }
        return try entries.filter { ties.key(of: $0.name) == $0.name }.map { entry in
            for alias in aliases[entry.name] ?? [] where alias.shape != entry.shape || alias.dtype != entry.dtype {
                throw MergeError.base(
                    "\(entry.name) and \(alias.name) are one tensor of the graph, but differ in shape or type in the "
                        + "base; save the base again")
            }
            return Layer(entry, granularity, aliases: (aliases[entry.name] ?? []).map(\.name))
        }
    }

    /// What became of the running statistics, where any task has moved one; else nil.
    var statisticsNote: String? {
        let moved = layers.indices.filter { layers[$0].isStatistic && vectors.isMoved($0) }
        guard !moved.isEmpty else { return nil }
        return
            "\(moved.count) tensors of running statistics are the means of the tasks' own, for no gradient reaches them"
    }

    /// What tasks hold that nothing uses. Where a registry's admission was passed there is nothing of the kind.
    var strayNotes: [String] {
        tasks.filter { !$0.strays.isEmpty }.map { task in
            "\(task.name): neither the base nor its graph has \(task.strays.firstFew); that is passed on with the "
                + "task's head and scored without, so remove it, or name it under `head` in task.yaml"
        }
    }

    /// Layers that the graph uses as parameters and that some task moves: the ones with a gradient.
    func trainable() -> [Int] {
        guard let evaluation else { return [] }
        let names = Set(evaluation.model.signature.parameters.map { ties.key(of: $0.name) })
        return layers.indices.filter { names.contains(layers[$0].name) && vectors.isMoved($0) }
    }
}

extension Checkpoint {
    /// The named tensors in float32 (integers as they are); `task` is to blame for what is wrong with them.
    func parameters(_ names: [String], of task: String? = nil) throws -> [String: Tensor] {
        var parameters: [String: Tensor] = [:]
        for name in names {
            let tensor = try tensor(name, of: task)
            parameters[name] = tensor.dtype.isFloatingPoint ? try tensor.to(.float32) : tensor
        }
        return parameters
    }
}
