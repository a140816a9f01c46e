internal import WorkerProtocol

/// What the stages of a `MergeRun` hand on.
struct MergeInProgress {
    /// As it was opened; digests are taken from its reads.
    let opened: MergeContext
    /// With a correction, once calibration has found one.
    var context: MergeContext
    /// Where the settings ask for one; made before anything is merged, because it refuses what is no one adapter.
    let adapter: MergedAdapter?
    var result: MergeResult
    /// Pairs of tasks that are known, from the deployed release or measured.
    var similarities = Similarity()
    /// Before the fit the method's own coefficients, after it the ones that are written.
    var weights: MergingWeights
    /// Where the fit starts instead of at `weights`.
    var first: MergingWeights?
    var schedule: FitSchedule
    /// Nil where nothing is scored.
    var evaluator: ModelEvaluator?
    var tree: TreeRun?

    init(_ context: MergeContext) throws {
        (opened, self.context) = (context, context)
        let settings = context.settings
        adapter = settings.writesAdapter ? try MergedAdapter(context) : nil
        result = MergeResult(tasks: context.tasks.map { TaskResult(task: $0.name, fitted: 0) })
        weights = MergingWeights(
            method: settings.method, taskCount: context.tasks.count, layers: context.layers, scale: settings.scale,
            squash: settings.squash)
        schedule = FitSchedule(settings)
    }

    /// How many examples of each task the fit saw.
    mutating func noteFitted(_ evaluation: EvaluationContext) {
        for index in result.tasks.indices { result.tasks[index].fitted = evaluation.sets[index]?.fitted.count ?? 0 }
    }

    /// Fills in what the release's record says of the merge beside scores, curve, outputs and time.
    mutating func describe(asked: MergeSettings) {
        let settings = context.settings
        result.strategy = context.choice
        if settings.method.isLearned {
            result.similarities = similarities.kept
            result.notes += similarities.doubles(among: context.tasks.map(\.name))
            result.form = settings.form
            result.weights = max(result.weights, weights.values.count)
            result.start =
                result.start ?? StartChoice(start: .taskVectors, reason: "every weight starts on its task vector")
        }
        if let note = asked.note(ofForm: settings) { result.notes.append(note) }
        for (index, layer) in context.layers.enumerated() {
            result.coefficients[layer.name] = context.tasks.indices.map { task in
                let values = Coefficients.of(task, index, weights, context.vectors)
                let gains = weights.gains(task: task, layer: index)
                let mean = values.reduce(0, +) / Double(values.count)
                return gains.isEmpty ? mean : mean * gains.reduce(0, +) / Double(gains.count)
            }
        }
        result.merged = context.mergedShare()
        result.passes = evaluator?.evaluation.passes.counts ?? [:]
        result.flopsPerPass = context.flopsPerPass
        result.device = MergeSettings.Device.cpu.rawValue
        result.dtype = settings.precision.rawValue
        result.versions = BuildProvenance.versions()
        result.programs = BuildProvenance.digests()
        result.peakMemory = ProcessMemory.peak
        result.memory = MemoryUse(
            peak: result.peakMemory, weights: context.evaluation?.engine.isStreamed == true ? .streamed : .resident)
        if let note = context.statisticsNote { result.notes.append(note) }
        if let note = context.streamingNote { result.notes.append(note) }
        result.notes += context.strayNotes + context.plan.warningNotes
        if let reason = context.unscored { result.notes.append("nothing was scored: \(reason)") }
    }
}

extension MergeContext {
    /// How much of what the tasks bring is merged. A parameter counts as merged where its tensor is one of the trunk
    /// that the task holds, or that its adapter changes, whether it moves or not.
    func mergedShare() -> MergedShare {
        var shares: [String: Double] = [:]
        for task in tasks {
            let merged = layers.filter { task.moves($0.name) }.reduce(0) { $0 + $1.elementCount }
            let shipped = task.head.compactMap { task.checkpoint.entry($0) }.reduce(0) { $0 + $1.elementCount }
            shares[task.name] = merged + shipped > 0 ? Double(merged) / Double(merged + shipped) : 1
        }
        let moved = layers.filter { layer in tasks.contains { $0.moves(layer.name) } }
        return MergedShare(
            tensors: moved.count, left: layers.count - moved.count + passedThrough.count,
            shipped: Dictionary(tasks.map { ($0.name, $0.head.count) }) { first, _ in first }, shares: shares)
    }
}
