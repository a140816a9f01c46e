internal import Torch
internal import WorkerProtocol

/// A fit before its first step, or as it was interrupted.
struct FirstState {
    /// With a correction where the fit has one.
    var context: MergeContext
    var state: FitState
    var schedule: FitSchedule
    var choice: StartChoice
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
    /// form and has at least half of the tasks. Nil where the weights don't start at a release.
    func warmStart(
        _ weights: MergingWeights, _ context: MergeContext
    ) throws -> (weights: MergingWeights, schedule: FitSchedule)? {
        let settings = context.settings
        guard settings.method.isLearned, settings.strategy == .incremental, let deployed = plan.deployed else {
            return nil
        }
        let warm = try Coefficients.warmStart(
            weights, context.layers, of: context.base, tasks: plan.tasks, base: plan.base, deployed: deployed)
        guard let former = warm.settings, former.hasForm(of: settings), 2 * warm.known >= plan.tasks.count else {
            return (warm.weights, FitSchedule(settings))
        }
        return (warm.weights, FitSchedule(arrival: settings))
    }

    /// Where the fit starts and how it goes on: at the task vectors, at the calibrated merge, or at what has the lowest
    /// held-out loss of these and of the task vectors with a correction from 0, the fits after a few steps each.
    func firstState(_ merge: inout MergeInProgress, _ evaluator: ModelEvaluator) throws -> FirstState {
        let settings = merge.context.settings
        func state(_ weights: MergingWeights) -> FitState {
            FitState.load(from: plan.scratch, merge: plan.merge, like: weights) ?? FitState(weights)
        }
        var plain = FirstState(
            context: merge.context, state: state(merge.first ?? merge.weights), schedule: merge.schedule,
            choice: StartChoice(start: .taskVectors, reason: "every weight starts on its task vector"))
        guard settings.method == .supermerge, settings.start != .taskVectors else { return plain }
        if merge.adapter != nil {
            plain.choice.reason = "the merge is written as one adapter, which a correction would not fit into"
        } else if settings.start == .auto, plain.state.step > 0 {
            plain.choice.reason = "the interrupted fit had chosen it"
        } else if let correction = try correction(&merge, evaluator) {
            return try corrected(plain, correction, merge, evaluator)
        } else {
            plain.choice.reason = "the graph has no layer that calibration solves for"
        }
        return plain
    }

    /// The start that is set, or the better one.
    private func corrected(
        _ plain: FirstState, _ correction: Correction, _ merge: MergeInProgress, _ evaluator: ModelEvaluator
    ) throws -> FirstState {
        let settings = merge.context.settings
        let context = try plain.context.adding(correction)
        let zero = merge.weights.adding(coefficient: 0, context.layers)
        let warm = try warmStart(zero, context)
        func state(_ weights: MergingWeights) -> FitState {
            FitState.load(from: plan.scratch, merge: plan.merge, like: weights) ?? FitState(weights)
        }
        var added = FirstState(
            context: context, state: state(warm?.weights ?? zero), schedule: warm?.schedule ?? plain.schedule,
            choice: StartChoice(start: .calibrated, reason: "the deployed release's weights, with a correction"))
        var whole = added
        whole.state = state(merge.weights.adding(coefficient: Correction.whole, context.layers))
        whole.schedule = FitSchedule(settings)
        whole.choice.reason = "start is set to calibrated"
        if added.state.step > 0 {
            // Both have as many weights, and the rate is in the state.
            added.choice.reason = "the interrupted fit had chosen it"
            return added
        }
        whole.state.rate = FitState.calibratedRate
        if settings.start == .calibrated { return warm == nil ? whole : added }
        var candidates = [plain, added]
        let steps = min(settings.evaluateEvery, plain.schedule.steps)
        for index in candidates.indices { try run(&candidates[index], evaluator, steps: steps) }
        var losses = candidates.map(\.state.bestLoss)
        if warm == nil {
            candidates.append(whole)
            let fit = try evaluator.fit(whole)
            try fit.look(lastLoss: nil)
            candidates[2].state = fit.state
            losses.append(fit.state.bestLoss)
        }
        let best = losses.indices.min { losses[$0] < losses[$1] } ?? 0
        let names = ["from the task vectors", "with a correction from 0", "of the calibrated merge"]
        let figures = zip(losses, names).map { "\($0.rounded4) \($1)" }.joined(separator: ", ")
        candidates[best].choice.reason = "held-out loss after \(steps) steps \(figures)"
        return candidates[best]
    }

    /// The first steps of a fit.
    private func run(_ first: inout FirstState, _ evaluator: ModelEvaluator, steps: Int) throws {
        let fit = try evaluator.fit(first)
        try fit.look(lastLoss: nil)
        var loss: Double?
        for done in 0..<steps {
            if shouldStop() { throw Stopped() }
            loss = try fit.step()
            let count = first.context.tasks.count
            evaluator.evaluation.passes.add(forward: count, backward: count)
            try progress(.calibrating, done + 1, steps)
        }
        try fit.look(lastLoss: loss)
        first.state = fit.state
    }
}
