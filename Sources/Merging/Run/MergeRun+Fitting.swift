internal import WorkerProtocol

extension MergeRun {
    /// One fit of all tasks.
    func fitJointly(_ merge: inout MergeInProgress, _ evaluator: ModelEvaluator) throws {
        let first = try firstState(&merge, evaluator)
        (merge.context, merge.result.start) = (first.context, first.choice)
        if merge.context.settings.start == .auto {
            merge.result.notes.append("start \(first.choice.start.rawValue): \(first.choice.reason)")
        }
        reportStart(merge, resumedAt: first.state.step)
        let fit = try evaluator.fit(first)
        if first.state.curve.isEmpty { try fit.look(lastLoss: nil) }
        try descend(fit, named: plan.merge, done: 0, total: fit.schedule.steps)
        merge.result.steps = fit.state.step
        merge.result.bestStep = fit.state.bestStep
        merge.result.curve = fit.state.curve.thinned(keeping: fit.state.bestStep)
        merge.noteFitted(evaluator.evaluation)
        merge.weights = fit.state.weights
        merge.weights.values = fit.state.best
        merge.result.weights = merge.weights.values.count
        takeCalibrated(first, ifBetterThan: fit.state.bestLoss, &merge)
        try merge.foldCorrections(in: plan.scratch)
    }

    /// Takes the calibrated merge as it is where no step of the fit came below its held-out loss.
    private func takeCalibrated(_ first: FirstState, ifBetterThan loss: Double, _ merge: inout MergeInProgress) {
        guard let calibrated = first.calibrated, calibrated.loss < loss else { return }
        merge.weights = calibrated.weights
        let reason =
            "the calibrated merge has a held-out loss of \(calibrated.loss.rounded4), "
            + "the fit \(loss.rounded4)"
        merge.result.start = StartChoice(start: .calibrated, reason: reason)
        merge.result.notes.append("the calibrated merge is kept as it is: \(reason)")
        merge.result.bestStep = 0
    }

    /// The fits of the tree that are not stored; the weights are the products of their coefficients.
    func fitTree(_ merge: inout MergeInProgress, _ evaluator: ModelEvaluator) throws {
        let context = merge.context
        var asked = context.settings.pinned
        asked.strategy = .hierarchical
        if let fault = asked.startFault { throw MergeError.base("start \(fault), or raise `memory`") }
        let tree = try TreeRun(context, evaluator.evaluation, evaluator.parameters, teachers: evaluator.teachers) {
            [unowned self] done, total in try progress(.reading, done, total)
        }
        let outcome = try tree.run { [merge] step in
            reportStart(merge, resumedAt: step)
        } descend: { fit, name, done, total in
            try descend(fit, named: name, done: done, total: total)
        }
        merge.result.tree = outcome.nodes
        merge.result.steps = outcome.root.steps
        merge.result.bestStep = outcome.root.bestStep
        merge.result.curve = outcome.root.curve.thinned(keeping: outcome.root.bestStep)
        merge.noteFitted(evaluator.evaluation)
        (merge.tree, merge.weights) = (tree, outcome.weights)
        merge.result.start = StartChoice(start: .taskVectors, reason: "the fits of a tree start at the task vectors")
    }

    /// Steps until the fit has had all of them or gets no better; `done` of `total` lie before it. Its state is saved
    /// as `merge`'s.
    private func descend(_ fit: CoefficientFit, named merge: String, done: Int, total: Int) throws {
        let settings = fit.context.settings
        while fit.state.step < fit.schedule.steps, fit.state.looksWithoutBetter < settings.patience {
            try stopIfAsked(fit, merge)
            let loss = try fit.step()
            fit.evaluation.passes.add(forward: fit.context.tasks.count, backward: fit.context.tasks.count)
            var heldOut: Double?
            var scores: [HeldOutScore]?
            if fit.state.step % settings.evaluateEvery == 0 || fit.state.step == fit.schedule.steps {
                try fit.look(lastLoss: loss)
                heldOut = fit.state.curve.last?.heldOut
                scores = fit.heldOut
                try fit.state.save(in: plan.scratch, merge: merge)
            }
            let left = secondsLeft(afterStepWith: total - done - fit.state.step)
            report(
                .progress(
                    .init(
                        phase: .fitting, done: done + fit.state.step, total: total, loss: loss, heldOut: heldOut,
                        scores: scores, secondsLeft: left)))
        }
    }
}
