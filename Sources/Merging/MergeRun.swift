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
    private var pace: Pace

    /// `report` hears how it goes; `shouldStop` is asked between steps, and a fit that stops saves its state first.
    package init(
        _ plan: MergePlan, report: @escaping (WorkerEvent) -> Void, shouldStop: @escaping () -> Bool = { false }
    ) {
        self.plan = plan
        self.report = report
        self.shouldStop = shouldStop
        began = clock.now
        pace = Pace(start: began)
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
        let workbench = try Workbench(plan)
        if plan.settings.writesAdapter { _ = try MergedAdapter(workbench) }
        if plan.settings.method.isLearned {
            try workbench.vectors.findZeros { [unowned self] done in
                try progress(.reading, done, workbench.layers.count)
            }
        }
        var result = MergeResult(tasks: workbench.tasks.map { TaskResult(task: $0.name, fitted: 0) })
        var known = plan.knownSimilarities()
        if plan.settings.method.isLearned, workbench.choice?.strategy != .hierarchical {
            known.add(
                try workbench.missingSimilarities(known) { [unowned self] done in
                    try progress(.reading, done, workbench.layers.count)
                })
        }
        var weights = MergingWeights(
            method: plan.settings.method, taskCount: workbench.tasks.count, layers: workbench.layers,
            scale: plan.settings.scale, squash: plan.settings.squash)
        try prepareRule(workbench)
        var judge: Judge?
        var tree: TreeRun?
        if let bench = workbench.bench {
            let parameters = try ModelParameters(layers: workbench.layers)
            let scores = Judge(workbench, bench, parameters)
            try scores.judgeOriginals(&result) { [unowned self] done, total in try progress(.scoring, done, total) }
            if workbench.choice?.strategy == .hierarchical {
                (tree, weights) = try grow(workbench, bench, parameters, teachers: scores.teachers, into: &result)
            } else if plan.settings.method.isLearned {
                weights = try fit(workbench, bench, parameters, teachers: scores.teachers, weights, into: &result)
            } else {
                report(.started(.init(tasks: workbench.tasks.map(\.name), resumedAt: 0)))
                if let scale = try searchedScale(scores, &result) {
                    weights = MergingWeights(
                        method: plan.settings.method, taskCount: workbench.tasks.count, layers: workbench.layers,
                        scale: scale)
                }
            }
            judge = scores
        } else {
            report(.started(.init(tasks: workbench.tasks.map(\.name), resumedAt: 0)))
            if searchesScale {
                result.notes.append("scale is \(plan.settings.scale): to search it takes a graph and examples")
            }
        }
        result.outputs = try CandidateWriter(workbench: workbench, directory: plan.output).write(weights) {
            done, total in
            try progress(.writing, done, total)
        }
        try judge?.judgeCandidate(&result, directory: plan.output)
        if plan.hasUnhashedFiles { plan.fillIn(sha256: try workbench.vectors.sha256()) }
        try plan.checkStamps()
        try tree?.finish()
        if let tree { known.add(tree.measured) }
        if plan.settings.method.isLearned { result.similarities = known.kept }
        describe(&result, workbench, weights)
        if let note = workbench.statisticsNote { result.notes.append(note) }
        result.notes += workbench.strayNotes
        if let reason = workbench.unscored { result.notes.append("nothing was scored: \(reason)") }
        return result
    }

    /// What TIES and DARE need to know before anything is merged. DARE that drops nothing is task arithmetic, to the byte.
    func prepareRule(_ workbench: Workbench) throws {
        let share = plan.settings.density ?? plan.settings.method.usualDensity
        switch plan.settings.method {
        case .ties:
            let thresholds = try workbench.vectors.tiesThresholds(share: share) { [unowned self] done, total in
                try progress(.reading, done, total)
            }
            workbench.vectors.rule = .ties(thresholds: thresholds)
        case .dare where share < 1:
            let seeds = TaskVectors.seeds(workbench.tasks.map(\.name), seed: plan.settings.seed)
            workbench.vectors.rule = .dare(share: share, seeds: seeds)
        case .supermerge, .adamerging, .average, .taskArithmetic, .dare: break
        }
    }

    private var searchesScale: Bool { plan.settings.searchesScale && plan.settings.method != .average }

    /// The λ of a static method where it is to be searched.
    private func searchedScale(_ judge: Judge, _ result: inout MergeResult) throws -> Double? {
        guard searchesScale else { return nil }
        let scale = try judge.searchedScale { [unowned self] done, total in try progress(.fitting, done, total) }
        result.notes.append("scale \(scale) was the best on the validation sets")
        return scale
    }

    private func fit(
        _ workbench: Workbench, _ bench: Bench, _ parameters: ModelParameters, teachers: [TeacherLogits?],
        _ start: MergingWeights, into result: inout MergeResult
    ) throws -> MergingWeights {
        let saved = FitState.load(from: plan.scratch, merge: plan.merge, like: start)
        let first = try firstWeights(workbench, start)
        let state = saved ?? FitState(first.weights)
        report(.started(.init(tasks: workbench.tasks.map(\.name), resumedAt: state.step, strategy: workbench.choice)))
        workbench.vectors.keepsRead = true
        let fit = try SuperMergeFit(
            workbench, bench, parameters, state: state, teachers: teachers, schedule: first.schedule)
        if saved == nil { try fit.look(lastLoss: nil) }
        try descend(fit, named: plan.merge, done: 0, total: fit.schedule.steps)
        result.steps = fit.state.step
        result.bestStep = fit.state.bestStep
        result.curve = fit.state.curve.thinned(keeping: fit.state.bestStep)
        for index in result.tasks.indices { result.tasks[index].fitted = bench.sets[index]?.fitted.count ?? 0 }
        var best = fit.state.weights
        best.values = fit.state.best
        return best
    }

    /// Makes the fits of the tree that are not stored; returns the products of their coefficients.
    private func grow(
        _ workbench: Workbench, _ bench: Bench, _ parameters: ModelParameters, teachers: [TeacherLogits?],
        into result: inout MergeResult
    ) throws -> (TreeRun, MergingWeights) {
        let tree = try TreeRun(workbench, bench, parameters, teachers: teachers) { [unowned self] done, total in
            try progress(.reading, done, total)
        }
        let outcome = try tree.run { step in
            report(
                .started(
                    .init(tasks: workbench.tasks.map(\.name), resumedAt: step, strategy: workbench.choice)))
        } descend: { fit, merge, done, total in
            try descend(fit, named: merge, done: done, total: total)
        }
        result.tree = outcome.nodes
        result.steps = outcome.root.steps
        result.bestStep = outcome.root.bestStep
        result.curve = outcome.root.curve.thinned(keeping: outcome.root.bestStep)
        for index in result.tasks.indices { result.tasks[index].fitted = bench.sets[index]?.fitted.count ?? 0 }
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
        _ workbench: Workbench, _ start: MergingWeights
    ) throws -> (weights: MergingWeights, schedule: FitSchedule) {
        let whole = FitSchedule(plan.settings)
        guard workbench.plan.settings.strategy == .incremental, let deployed = plan.deployed else {
            return (start, whole)
        }
        let warm = try Coefficients.warmStart(
            start, workbench.layers, of: workbench.base, tasks: plan.tasks, base: plan.base, release: deployed.directory
        )
        guard let former = warm.settings, former.hasForm(of: workbench.plan.settings),
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

    private func describe(_ result: inout MergeResult, _ workbench: Workbench, _ weights: MergingWeights) {
        result.strategy = workbench.choice
        if plan.settings.method.isLearned { result.form = workbench.plan.settings.form }
        if let note = plan.settings.note(ofForm: workbench.plan.settings) { result.notes.append(note) }
        result.weights = plan.settings.method.isLearned ? weights.values.count : 0
        for (index, layer) in workbench.layers.enumerated() {
            result.coefficients[layer.name] = workbench.tasks.indices.map { task in
                let values = Coefficients.of(task, index, weights, workbench.vectors)
                let gains = weights.gains(task: task, layer: index)
                let mean = values.reduce(0, +) / Double(values.count)
                return gains.isEmpty ? mean : mean * gains.reduce(0, +) / Double(gains.count)
            }
        }
        result.versions = RunningPrograms.versions()
        result.programs = RunningPrograms.digests()
        result.started = Date(timeIntervalSinceNow: (began - clock.now) / .seconds(1)).formatted(.iso8601)
        result.seconds = (clock.now - began) / .seconds(1)
        result.peakMemory = ProcessMemory.peak
    }
}
