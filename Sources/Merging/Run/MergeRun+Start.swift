internal import Files
internal import Torch
internal import WorkerProtocol

/// A fit before its first step, or as it was interrupted.
struct FirstState {
    /// With a correction where the fit has one.
    var context: MergeContext
    var state: FitState
    var schedule: FitSchedule
    var choice: StartChoice
    /// Of the last evaluation, by task.
    var scores: [HeldOutScore] = []
    /// The calibrated merge and its held-out loss, which the fit has to come below.
    var calibrated: (weights: MergingWeights, loss: Double)?
}

/// Where a fit with corrections begins, without the new ones: the task vectors at the method's own coefficients, or the
/// deployed release's weights with its correction.
private struct Ground {
    var context: MergeContext
    var weights: MergingWeights
    /// Nil where the weights are no release's.
    var schedule: FitSchedule?
}

extension ModelEvaluator {
    /// The fit that goes on from there; it fills the evaluator's parameters.
    func fit(_ first: FirstState) throws -> CoefficientFit {
        first.context.vectors.keepsRead = true
        return try CoefficientFit(
            first.context, evaluation, parameters, state: first.state, teachers: teachers, schedule: first.schedule)
    }
}

extension MergeRun {
    /// Weights from the deployed release, and the schedule: that of an arrival where the release was fitted in the same
    /// form and has at least half of the tasks. Nil where the weights don't start at a release. `hasCorrection`: the
    /// weights behind those of the tasks are the release's correction's.
    func warmStart(
        _ weights: MergingWeights, _ context: MergeContext, hasCorrection: Bool = false
    ) throws -> (weights: MergingWeights, schedule: FitSchedule)? {
        let settings = context.settings
        guard settings.method.isLearned, settings.strategy == .incremental, let deployed = plan.deployed else {
            return nil
        }
        let warm = try Coefficients.warmStart(
            weights, context.layers, of: context.base, tasks: plan.tasks, base: plan.base, deployed: deployed,
            hasCorrection: hasCorrection)
        guard let former = warm.settings, former.hasForm(of: settings), 2 * warm.known >= plan.tasks.count else {
            return (warm.weights, FitSchedule(settings))
        }
        return (warm.weights, FitSchedule(arrival: settings))
    }

    /// Where the fit starts and how it goes on, as `start` says.
    func firstState(_ merge: inout MergeInProgress, _ evaluator: ModelEvaluator) throws -> FirstState {
        let settings = merge.context.settings
        var plain = FirstState(
            context: merge.context, state: saved(like: merge.first ?? merge.weights), schedule: merge.schedule,
            choice: StartChoice(start: .taskVectors, reason: "every weight starts on its task vector"))
        guard settings.method == .supermerge, settings.start != .taskVectors else { return plain }
        if merge.adapter != nil {
            plain.choice.reason = "the merge is written as one adapter, which a correction would not fit into"
        } else if let reason = merge.context.uncalibrated {
            plain.choice.reason = reason
        } else if settings.start == .auto, plain.state.step > 0 {
            plain.choice.reason = Self.interrupted
        } else if isShortOfExamples(settings) {
            let ground = try ground(merge)
            plain = try goingOn(plain, ground, evaluator)
            if let found = try isotropicCorrection(merge, evaluator) {
                return try corrected(plain, ground, [found], named: "from iso-cts", evaluator)
            }
            plain.choice.reason = Self.fewExamples
        } else {
            let ground = try ground(merge)
            plain = try goingOn(plain, ground, evaluator)
            let found = try corrections(&merge, evaluator, ground)
            let name = found.count > 1 ? "with two corrections from 0" : "with a correction from 0"
            if !found.isEmpty { return try corrected(plain, ground, found, named: name, evaluator) }
            plain.choice.reason = "the graph has no layer that calibration solves for"
        }
        return plain
    }

    /// Whether `auto` has found the examples too few for weights of rows. Calibration then solves for more than they
    /// say: on the zoo's vision tasks with 8 examples each it ends below Task Arithmetic. What helps is a better merge
    /// that needs none.
    private func isShortOfExamples(_ settings: ResolvedSettings) -> Bool {
        settings.start == .auto && settings.asked.granularity == .auto && settings.granularity == .tensor
    }

    private static let fewExamples =
        "fewer than \(MergeSettings.examplesForRows) examples a task are too few to calibrate with"

    /// λ of a correction that is the only one. It is not searched: weights that start at 0 take of the correction what
    /// serves them, and the λ that makes the best calibrated merge is not the best for that.
    private static let ridge = RidgeSearch.usual
    /// λ of two corrections beside each other, one held to the task vectors and one that is mostly Iso-CTS: rows and
    /// columns take what serves them of either. On the zoo's vision tasks the held-out loss after 300 steps is 0.310
    /// with both, 0.320 with λ 0.01 and 1, 0.338 with the better one alone; which one is better does not show within 40
    /// steps.
    private static let ridges = (taskVectors: 0.1, isotropic: 10.0)

    private static let deployedOne = "the deployed release has a correction"
    private static let interrupted = "the interrupted fit had chosen it"
    /// Most steps of a fit that is compared with another.
    static func mostStepsOfComparison(_ settings: ResolvedSettings) -> Int { 4 * settings.evaluateEvery }
    /// Most calibrations before a fit: two corrections, or one held to either of two merges.
    static let mostCalibrations = 2

    /// The fit's saved state, or a new one at these weights.
    private func saved(like weights: MergingWeights) -> FitState {
        FitState.load(from: plan.scratch, merge: plan.merge, like: weights) ?? FitState(weights)
    }

    private func ground(_ merge: MergeInProgress) throws -> Ground {
        var ground = Ground(context: merge.context, weights: merge.weights)
        let deployed = try deployedCorrection(merge.context.settings)
        if let deployed {
            ground.context = try ground.context.adding(deployed)
            ground.weights = ground.weights.adding(coefficient: 0, ground.context.layers)
        }
        if let warm = try warmStart(ground.weights, ground.context, hasCorrection: deployed != nil) {
            (ground.weights, ground.schedule) = (warm.weights, warm.schedule)
        }
        return ground
    }

    /// A fit without new corrections: where the deployed release has one, with that or without it, whichever begins
    /// with the lower held-out loss. A correction that is mostly one task's may leave no room for a new one.
    private func goingOn(
        _ plain: FirstState, _ ground: Ground, _ evaluator: ModelEvaluator
    ) throws -> FirstState {
        guard plain.context.settings.start == .auto, let schedule = ground.schedule,
            ground.context.vectors.correction != nil
        else { return plain }
        var plain = plain
        var kept = FirstState(
            context: ground.context, state: saved(like: ground.weights), schedule: schedule,
            choice: StartChoice(start: .correction, reason: Self.deployedOne))
        guard kept.state.step == 0 else { return kept }
        try run(&plain, evaluator, to: 0)
        try run(&kept, evaluator, to: 0)
        return kept.state.bestLoss <= plain.state.bestLoss ? kept : plain
    }

    /// The correction of the release that the fit goes on from; nil where there is none, or where a task has gone or
    /// changed since: what a correction owes to a task can't be taken out of it.
    private func deployedCorrection(_ settings: ResolvedSettings) throws -> Correction? {
        guard settings.strategy == .incremental, let deployed = plan.deployed, let record = deployed.record,
            record.base == plan.base.digest
        else { return nil }
        let digests = Dictionary(plan.tasks.map { ($0.name, $0.digest) }) { first, _ in first }
        let isKept = record.tasks.allSatisfy { task in
            digests[task.name].map { $0.isEmpty || $0 == task.digest } ?? false
        }
        let path = deployed.directory + "/" + Correction.path
        guard isKept, try FileStatus.ifPresent(path) != nil else { return nil }
        return try Correction(path: path)
    }

    /// The new corrections, the first with the held-out loss of its whole; none where the graph has no layer that is
    /// solved for.
    private func corrections(
        _ merge: inout MergeInProgress, _ evaluator: ModelEvaluator, _ ground: Ground
    ) throws -> [(correction: Correction, loss: Double?)] {
        let settings = merge.context.settings
        let isPair =
            settings.ridge == nil && settings.start != .calibrated
            && CalibrationAnchor.candidates(merge.context.vectors).contains(.isotropic)
        var start = merge
        (start.context, start.weights) = (ground.context, ground.weights)
        let first = try correction(
            &start, evaluator, Calibrate.self,
            RidgeSearch(settings.ridge ?? (isPair ? Self.ridges.taskVectors : Self.ridge)),
            anchors: isPair || ground.schedule != nil ? [.taskVectors] : nil)
        merge.result = start.result
        guard let first else { return [] }
        guard isPair,
            let second = try correction(
                &merge, evaluator, Calibrate.self, RidgeSearch(Self.ridges.isotropic), anchors: [.isotropic])
        else { return [first] }
        return [first, second]
    }

    /// The start that is set, or the better one.
    private func corrected(
        _ plain: FirstState, _ ground: Ground, _ found: [(correction: Correction, loss: Double?)], named name: String,
        _ evaluator: ModelEvaluator
    ) throws -> FirstState {
        var added = try first(plain, ground, found)
        if added.state.step > 0 {
            added.choice.reason = Self.interrupted
            return added
        }
        guard added.context.settings.start == .auto else { return added }
        if plain.state.step > 0 {
            var plain = plain
            plain.choice.reason = Self.interrupted
            return plain
        }
        return try better(of: plain, added, ground, named: name, evaluator)
    }

    /// A fit with more directions, or as it was interrupted.
    private func first(
        _ plain: FirstState, _ ground: Ground, _ found: [(correction: Correction, loss: Double?)]
    ) throws -> FirstState {
        let settings = plain.context.settings
        var (context, zero, whole) = (ground.context, ground.weights, ground.weights)
        for (place, found) in found.enumerated() {
            context = try context.adding(found.correction)
            zero = zero.adding(coefficient: 0, context.layers)
            whole = whole.adding(coefficient: place == 0 ? Correction.whole : 0, context.layers)
        }
        let isShort = isShortOfExamples(settings)
        let isWhole = (settings.start == .calibrated || isShort) && ground.schedule == nil
        var state = saved(like: isWhole ? whole : zero)
        if isWhole, !isShort, state.step == 0 { state.rate = FitState.calibratedRate }
        var first = FirstState(
            context: context, state: state,
            schedule: isWhole ? FitSchedule(settings) : ground.schedule ?? plain.schedule,
            choice: StartChoice(
                start: isWhole && !isShort ? .calibrated : .correction,
                reason: "start is set to \(settings.start.rawValue)"))
        if !isShort { first.calibrated = found.first?.loss.map { (whole, $0) } }
        return first
    }

    /// Runs a fit from the task vectors and one with corrections side by side until the latter is better by more than a
    /// standard error, four evaluations at most: with few examples, which can't tell, a fit has no more freedom than
    /// helps. The loser's passes are counted, too.
    private func better(
        of plain: FirstState, _ added: FirstState, _ ground: Ground, named name: String, _ evaluator: ModelEvaluator
    ) throws -> FirstState {
        var (plain, added) = (plain, added)
        let every = plain.context.settings.evaluateEvery
        let most = min(
            Self.mostStepsOfComparison(plain.context.settings), plain.schedule.steps, added.schedule.steps)
        if ground.schedule != nil { try startArrivalAtCalibrated(&added, evaluator) }
        var (steps, margin, isBetter) = (0, 0.0, false)
        repeat {
            steps = min(max(every, 2 * steps), most)
            try run(&plain, evaluator, to: steps)
            try run(&added, evaluator, to: steps)
            margin = Self.standardError(plain.scores, added.scores)
            isBetter = added.state.bestLoss < plain.state.bestLoss - margin
        } while !isBetter && steps < most
        let isClose = !isBetter && added.state.bestLoss < plain.state.bestLoss
        var best = isBetter ? added : plain
        best.choice.reason =
            "held-out loss after \(steps) steps \(plain.state.bestLoss.rounded4) "
            + (plain.choice.start == .correction ? "with the deployed correction, " : "from the task vectors, ")
            + "\(added.state.bestLoss.rounded4) \(name)"
            + (isClose ? ", by less than a standard error (\(margin.rounded4))" : "")
            + "; \(steps * plain.context.tasks.count) passes of a batch went into the other"
        return isBetter ? try startingAtCalibrated(best, evaluator, ifAboveAfter: most) : best
    }

    /// Moves an arrival's fit to the calibrated merge where that has the lower held-out loss: its steps are too few to
    /// get there from the deployed weights.
    private func startArrivalAtCalibrated(_ first: inout FirstState, _ evaluator: ModelEvaluator) throws {
        guard let calibrated = first.calibrated else { return }
        try run(&first, evaluator, to: 0)
        guard calibrated.loss < first.state.bestLoss else { return }
        first.state = FitState(calibrated.weights)
        first.choice.start = .calibrated
    }

    /// Where a fit from 0 has not come below the calibrated merge's held-out loss after so many steps, one that starts
    /// there; its steps up to there are else its own.
    private func startingAtCalibrated(
        _ first: FirstState, _ evaluator: ModelEvaluator, ifAboveAfter steps: Int
    ) throws -> FirstState {
        guard let calibrated = first.calibrated, calibrated.loss <= first.state.bestLoss else { return first }
        var first = first
        try run(&first, evaluator, to: steps)
        guard calibrated.loss <= first.state.bestLoss else { return first }
        first.choice.start = .calibrated
        first.choice.reason +=
            ", and \(steps * first.context.tasks.count) into that one, which was at \(first.state.bestLoss.rounded4) "
            + "after \(steps) steps, the calibrated merge at \(calibrated.loss.rounded4)"
        first.state = FitState(calibrated.weights)
        first.state.rate = FitState.calibratedRate
        return first
    }

    /// Of the mean difference between two fits' held-out losses, over the tasks; 0 where there are fewer than two (the
    /// one-standard-error rule of Breiman et al., 1984).
    static func standardError(_ one: [HeldOutScore], _ other: [HeldOutScore]) -> Double {
        let gaps = zip(one, other).map { $0.loss - $1.loss }
        guard gaps.count > 1 else { return 0 }
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count - 1)
        return (variance / Double(gaps.count)).squareRoot()
    }

    /// The steps of a fit up to `last`.
    private func run(_ first: inout FirstState, _ evaluator: ModelEvaluator, to last: Int) throws {
        let fit = try evaluator.fit(first)
        defer { first.context.vectors.keepsRead = false }
        let (every, count) = (first.context.settings.evaluateEvery, first.context.tasks.count)
        if first.state.curve.isEmpty { try fit.look(lastLoss: nil) }
        while fit.state.step < last {
            if shouldStop() { throw Stopped() }
            let loss = try fit.step()
            evaluator.evaluation.passes.add(forward: count, backward: count)
            if fit.state.step % every == 0 || fit.state.step == last { try fit.look(lastLoss: loss) }
            try progress(.calibrating, fit.state.step, last)
        }
        (first.state, first.scores) = (fit.state, fit.heldOut)
    }
}
