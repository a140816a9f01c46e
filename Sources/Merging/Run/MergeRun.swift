internal import ExportedGraph
internal import ExportedModel
internal import Files
internal import Foundation
internal import Safetensors
internal import Torch
package import WorkerProtocol

/// One merge from a plan to a complete candidate in its output directory.
package final class MergeRun {
    /// As it was given; after `run` with the digests of the files that had none.
    package private(set) var plan: MergePlan
    private let report: (WorkerEvent) -> Void
    private let shouldStop: () -> Bool
    private let clock = ContinuousClock()
    private let began: ContinuousClock.Instant
    private var pace: ProgressEstimator

    /// `report` hears how it goes; `shouldStop` is asked between steps, and a fit that stops saves its state first.
    package init(
        _ plan: MergePlan, report: @escaping (WorkerEvent) -> Void, shouldStop: @escaping () -> Bool = { false }
    ) {
        self.plan = plan
        self.report = report
        self.shouldStop = shouldStop
        began = clock.now
        pace = ProgressEstimator(start: began)
    }

    /// Thrown when `shouldStop` said so; the state of the fit is saved.
    package struct Stopped: Error {}

    /// Merges and scores. Throws `MergeError`, `Stopped`, or what the file system said.
    package func run() throws -> MergeResult {
        guard plan.settings.device == .cpu else {
            throw MergeError.base("device cuda is not there yet; set device to cpu")
        }
        if let needed = plan.settings.scaleFault {
            throw MergeError.base(
                "scale \(plan.settings.scale) can't be a start of \(plan.settings.method.rawValue); set one \(needed)")
        }
        try TorchRuntime.setThreads(plan.settings.threads)
        TorchRuntime.keepFreedMemory()
        let context = try MergeContext(plan)
        if plan.settings.writesAdapter { _ = try MergedAdapter(context) }
        if plan.settings.method.isLearned {
            try context.vectors.findZeros { [unowned self] done in
                try progress(.reading, done, context.layers.count)
            }
        }
        var result = MergeResult(tasks: context.tasks.map { TaskResult(task: $0.name, fitted: 0) })
        var known = plan.knownSimilarities()
        if plan.settings.method.isLearned, context.choice?.strategy != .hierarchical {
            known.add(
                try context.missingSimilarities(known) { [unowned self] done in
                    try progress(.reading, done, context.layers.count)
                })
        }
        var weights = MergingWeights(
            method: plan.settings.method, taskCount: context.tasks.count, layers: context.layers,
            scale: plan.settings.scale, squash: plan.settings.squash)
        try prepareRule(context)
        var evaluator: ModelEvaluator?
        var tree: TreeRun?
        if let evaluation = context.evaluation {
            let parameters = try ModelParameters(layers: context.layers)
            let scores = ModelEvaluator(context, evaluation, parameters)
            try scores.scoreOriginals(&result) { [unowned self] done, total in try progress(.scoring, done, total) }
            if context.choice?.strategy == .hierarchical {
                (tree, weights) = try grow(context, evaluation, parameters, teachers: scores.teachers, into: &result)
            } else if plan.settings.method.isLearned {
                weights = try fit(context, evaluation, parameters, teachers: scores.teachers, weights, into: &result)
            } else {
                report(.started(.init(tasks: context.tasks.map(\.name), resumedAt: 0)))
                if let scale = try searchedScale(scores, &result) {
                    weights = MergingWeights(
                        method: plan.settings.method, taskCount: context.tasks.count, layers: context.layers,
                        scale: scale)
                }
            }
            evaluator = scores
        } else {
            report(.started(.init(tasks: context.tasks.map(\.name), resumedAt: 0)))
            if searchesScale {
                result.notes.append("scale is \(plan.settings.scale): to search it takes a graph and examples")
            }
        }
        result.outputs = try CandidateWriter(context: context, directory: plan.output).write(weights) {
            done, total in
            try progress(.writing, done, total)
        }
        try evaluator?.judgeCandidate(&result, directory: plan.output)
        if plan.hasUnhashedFiles { plan.fillIn(sha256: try context.vectors.sha256()) }
        try plan.checkStamps()
        try tree?.finish()
        if let tree { known.add(tree.measured) }
        if plan.settings.method.isLearned { result.similarities = known.kept }
        describe(&result, context, weights)
        if let note = context.statisticsNote { result.notes.append(note) }
        result.notes += context.strayNotes
        if let reason = context.unscored { result.notes.append("nothing was scored: \(reason)") }
        return result
    }

    /// What TIES and DARE need to know before anything is merged. DARE that drops nothing is task arithmetic, to the byte.
    func prepareRule(_ context: MergeContext) throws {
        let share = plan.settings.density ?? plan.settings.method.usualDensity
        switch plan.settings.method {
        case .ties:
            let thresholds = try context.vectors.tiesThresholds(share: share) { [unowned self] done, total in
                try progress(.reading, done, total)
            }
            context.vectors.rule = .ties(thresholds: thresholds)
        case .dare where share < 1:
            let seeds = TaskVectors.seeds(context.tasks.map(\.name), seed: plan.settings.seed)
            context.vectors.rule = .dare(share: share, seeds: seeds)
        case .supermerge, .adamerging, .average, .taskArithmetic, .dare: break
        }
    }

    private var searchesScale: Bool { plan.settings.searchesScale && plan.settings.method != .average }

    /// The λ of a static method where it is to be searched.
    private func searchedScale(_ evaluator: ModelEvaluator, _ result: inout MergeResult) throws -> Double? {
        guard searchesScale else { return nil }
        let scale = try evaluator.searchedScale { [unowned self] done, total in try progress(.fitting, done, total) }
        result.notes.append("scale \(scale) was the best on the validation sets")
        return scale
    }

    private func fit(
        _ context: MergeContext, _ evaluation: EvaluationContext, _ parameters: ModelParameters,
        teachers: [TeacherLogits?],
        _ start: MergingWeights, into result: inout MergeResult
    ) throws -> MergingWeights {
        let saved = FitState.load(from: plan.scratch, merge: plan.merge, like: start)
        let first = try firstWeights(context, start)
        let state = saved ?? FitState(first.weights)
        report(.started(.init(tasks: context.tasks.map(\.name), resumedAt: state.step, strategy: context.choice)))
        context.vectors.keepsRead = true
        let fit = try SuperMergeFit(
            context, evaluation, parameters, state: state, teachers: teachers, schedule: first.schedule)
        if saved == nil { try fit.look(lastLoss: nil) }
        try descend(fit, named: plan.merge, done: 0, total: fit.schedule.steps)
        result.steps = fit.state.step
        result.bestStep = fit.state.bestStep
        result.curve = fit.state.curve.thinned(keeping: fit.state.bestStep)
        for index in result.tasks.indices { result.tasks[index].fitted = evaluation.sets[index]?.fitted.count ?? 0 }
        var best = fit.state.weights
        best.values = fit.state.best
        return best
    }

    /// Makes the fits of the tree that are not stored; returns the products of their coefficients.
    private func grow(
        _ context: MergeContext, _ evaluation: EvaluationContext, _ parameters: ModelParameters,
        teachers: [TeacherLogits?],
        into result: inout MergeResult
    ) throws -> (TreeRun, MergingWeights) {
        let tree = try TreeRun(context, evaluation, parameters, teachers: teachers) { [unowned self] done, total in
            try progress(.reading, done, total)
        }
        let outcome = try tree.run { step in
            report(
                .started(
                    .init(tasks: context.tasks.map(\.name), resumedAt: step, strategy: context.choice)))
        } descend: { fit, merge, done, total in
            try descend(fit, named: merge, done: done, total: total)
        }
        result.tree = outcome.nodes
        result.steps = outcome.root.steps
        result.bestStep = outcome.root.bestStep
        result.curve = outcome.root.curve.thinned(keeping: outcome.root.bestStep)
        for index in result.tasks.indices { result.tasks[index].fitted = evaluation.sets[index]?.fitted.count ?? 0 }
        return (tree, outcome.weights)
    }

    /// Steps until the fit has had all of them or gets no better; `done` of `total` lie before it. Its state is saved as
    /// `merge`'s.
    private func descend(_ fit: SuperMergeFit, named merge: String, done: Int, total: Int) throws {
        let settings = plan.settings
        while fit.state.step < fit.schedule.steps, fit.state.looksWithoutBetter < settings.patience {
            try stopIfAsked(fit, merge)
            let loss = try fit.step()
            var heldOut: Double?
            var scores: [HeldOutScore]?
            if fit.state.step % settings.evaluateEvery == 0 || fit.state.step == fit.schedule.steps {
                try fit.look(lastLoss: loss)
                heldOut = fit.state.curve.last?.heldOut
                scores = fit.heldOut
                try fit.state.save(in: plan.scratch, merge: merge)
            }
            pace.step(clock.now, left: total - done - fit.state.step)
            report(
                .progress(
                    .init(
                        phase: .fitting, done: done + fit.state.step, total: total, loss: loss, heldOut: heldOut,
                        scores: scores, secondsLeft: pace.secondsLeft)))
        }
    }

    /// Where the fit starts and how it goes on: from the deployed release, and as an arrival where that was fitted in the same
    /// form and has at least half of the tasks.
    private func firstWeights(
        _ context: MergeContext, _ start: MergingWeights
    ) throws -> (weights: MergingWeights, schedule: FitSchedule) {
        let whole = FitSchedule(plan.settings)
        guard context.plan.settings.strategy == .incremental, let deployed = plan.deployed else {
            return (start, whole)
        }
        let warm = try Coefficients.warmStart(
            start, context.layers, of: context.base, tasks: plan.tasks, base: plan.base, release: deployed.directory
        )
        guard let former = warm.settings, former.hasForm(of: context.plan.settings),
            2 * warm.known >= plan.tasks.count
        else {
            return (warm.weights, whole)
        }
        return (warm.weights, FitSchedule(arrival: plan.settings))
    }

    private func stopIfAsked(_ fit: SuperMergeFit, _ merge: String) throws {
        guard shouldStop() else { return }
        try fit.state.save(in: plan.scratch, merge: merge)
        throw Stopped()
    }

    private func progress(_ phase: WorkerEvent.Progress.Phase, _ done: Int, _ total: Int) throws {
        if shouldStop() { throw Stopped() }
        report(.progress(.init(phase: phase, done: done, total: total, secondsLeft: pace.secondsLeft)))
    }

    private func describe(_ result: inout MergeResult, _ context: MergeContext, _ weights: MergingWeights) {
        result.strategy = context.choice
        if plan.settings.method.isLearned { result.form = context.plan.settings.form }
        if let note = plan.settings.note(ofForm: context.plan.settings) { result.notes.append(note) }
        result.weights = plan.settings.method.isLearned ? weights.values.count : 0
        for (index, layer) in context.layers.enumerated() {
            result.coefficients[layer.name] = context.tasks.indices.map { task in
                let values = Coefficients.of(task, index, weights, context.vectors)
                let gains = weights.gains(task: task, layer: index)
                let mean = values.reduce(0, +) / Double(values.count)
                return gains.isEmpty ? mean : mean * gains.reduce(0, +) / Double(gains.count)
            }
        }
        result.versions = BuildProvenance.versions()
        result.programs = BuildProvenance.digests()
        result.started = Date(timeIntervalSinceNow: (began - clock.now) / .seconds(1)).formatted(.iso8601)
        result.seconds = (clock.now - began) / .seconds(1)
        result.peakMemory = ProcessMemory.peak
    }
}
