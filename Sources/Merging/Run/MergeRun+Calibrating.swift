internal import Torch
internal import WorkerProtocol

extension MergeRun {
    /// A closed form alone: the method's own coefficients, and the whole of the correction. Where the method has a λ,
    /// it is solved at 1, and λ scales coefficients and correction.
    func calibrate(
        _ merge: inout MergeInProgress, _ evaluator: ModelEvaluator, _ method: any LayerwiseMethod.Type
    ) throws {
        reportStart(merge)
        let ridges = method.ridges(merge.context.settings)
        let isScaled = !method.scales.isEmpty
        if isScaled { merge.weights = scaled(merge, by: 1) }
        guard let correction = try correction(&merge, evaluator, method, ridges)?.correction else {
            throw MergeError.base(
                "the graph has no layer that calibration solves for: no linear layer, convolution, batch or group norm "
                    + "with parameters of its own outside the tasks' heads; choose another method")
        }
        merge.noteFitted(evaluator.evaluation)
        guard isScaled else {
            merge.context = try merge.context.adding(correction)
            merge.weights = merge.weights.adding(coefficient: Correction.whole, merge.context.layers)
            return
        }
        let corrected = try merge.context.adding(correction)
        let scale =
            try searchesScale
            ? heldOutScale(&merge, evaluator, corrected, method.scales) : merge.context.settings.scale
        merge.weights = scaled(merge, by: scale, correction: scale * Correction.whole)
        merge.context = corrected
    }

    /// The method's own coefficients at λ, and with `correction` that of the direction behind the task vectors.
    private func scaled(_ merge: MergeInProgress, by scale: Double, correction: Double? = nil) -> MergingWeights {
        let (context, layers) = (merge.context, merge.context.layers)
        let own = MergingWeights(
            method: context.settings.method, taskCount: context.tasks.count, layers: layers, scale: scale)
        return correction.map { own.adding(coefficient: $0, layers) } ?? own
    }

    /// The λ with the lowest held-out loss, of equals the first; the method's usual one where nothing is held out.
    /// `corrected`: the merge's context with its correction.
    private func heldOutScale(
        _ merge: inout MergeInProgress, _ evaluator: ModelEvaluator, _ corrected: MergeContext, _ scales: [Double]
    ) throws -> Double {
        var tried: [(scale: Double, loss: Double)] = []
        for (done, scale) in scales.enumerated() {
            let weights = scaled(merge, by: scale, correction: scale * Correction.whole)
            guard let loss = try heldOutLoss(corrected, evaluator, weights) else { break }
            if loss.isFinite { tried.append((scale, loss)) }
            try progress(.fitting, done + 1, scales.count)
        }
        guard let best = tried.min(by: { $0.loss < $1.loss }) else { return merge.context.settings.method.usualScale }
        let losses = tried.map { "\($0.loss.rounded4) at \($0.scale)" }.joined(separator: ", ")
        merge.result.notes.append("scale \(best.scale) had the lowest held-out loss: \(losses)")
        return best.scale
    }

    /// Calibrates the merge at the method's own coefficients, with the λ of `ridges` and then the anchor that have the
    /// lowest held-out loss; nil where no layer was solved for. `anchors`: those to try, in this order. The evaluator's
    /// parameters are overwritten.
    func correction(
        _ merge: inout MergeInProgress, _ evaluator: ModelEvaluator, _ method: any LayerwiseMethod.Type,
        _ ridges: RidgeSearch, anchors: [CalibrationAnchor]? = nil
    ) throws -> (correction: Correction, loss: Double?)? {
        let (context, evaluation, parameters) = (merge.context, evaluator.evaluation, evaluator.parameters)
        let phase = evaluation.passes.phase
        evaluation.passes.phase = .calibrating
        defer { evaluation.passes.phase = phase }
        let scores = method == Calibrate.self
        var count = 0
        /// One calibration; nil where the graph has nothing to calibrate.
        func attempt(_ ridge: Double, _ anchor: CalibrationAnchor) throws -> (correction: Correction, loss: Double?)? {
            let form = method.form(ridge: ridge)
            let calibration = try Calibration(context, evaluation, parameters, form: form, anchor: anchor)
            let tensors = try calibration.run(start: merge.weights) { [unowned self] done, total in
                try progress(.calibrating, done, total)
            }
            evaluation.passes.add(forward: passes(evaluation, form, batch: context.settings.batch))
            count = tensors.count
            guard count > 0 else { return nil }
            let path = plan.scratch + "/correction-\(anchor)-\(ridge).safetensors"
            try Correction.write(tensors, calibration.weights, context, start: merge.weights, to: path)
            let correction = try Correction(path: path)
            return (correction, scores ? try heldOutLoss(merge, evaluator, correction) : nil)
        }
        let anchors = anchors ?? (scores ? CalibrationAnchor.candidates(context.vectors) : [.taskVectors])
        guard let first = anchors.first else { return nil }
        var search = ridges
        var best: (correction: Correction, loss: Double?)?
        while let ridge = search.next {
            guard let found = try attempt(ridge, first) else { break }
            if search.record(found.loss) { best = found }
        }
        guard let found = best else { return nil }
        var summary = search.summary + " from \(first.name)"
        if let loss = found.loss {
            for anchor in anchors.dropFirst() {
                guard let found = try attempt(search.chosen, anchor), let other = found.loss else { continue }
                summary += ", \(other.rounded4) from \(anchor.name)"
                if other < loss { best = found }
            }
        }
        merge.result.notes.append("calibration solved for \(count) tensors" + (scores ? " with \(summary)" : ""))
        return best
    }

    /// Iso-CTS of the merge's matrices as a correction, with no look at an example; nil where none can be had.
    func isotropicCorrection(
        _ merge: MergeInProgress, _ evaluator: ModelEvaluator
    ) throws -> (correction: Correction, loss: Double?)? {
        let (context, parameters) = (merge.context, evaluator.parameters)
        guard CalibrationAnchor.candidates(context.vectors).contains(.isotropic) else { return nil }
        try parameters.merge(context.vectors, merge.weights)
        let weights = try CalibratedWeights(parameters, scratch: plan.scratch)
        let layers = try CalibrationAnchor.isotropic.fill(context.trainable(), weights, context.vectors)
        guard !layers.isEmpty else { return nil }
        let path = plan.scratch + "/correction-isotropic.safetensors"
        try Correction.write(layers, weights, context, start: merge.weights, to: path)
        return (try Correction(path: path), nil)
    }

    /// Passes of a batch by which every example goes through its task's checkpoint and through the merged model.
    private func passes(_ evaluation: EvaluationContext, _ form: LayerwiseForm, batch: Int) -> Int {
        (form.readsMerged ? 2 : 1)
            * evaluation.sets.reduce(0) { $0 + (($1?.fitted.count ?? 0) + batch - 1) / batch }
    }

    /// Of the calibrated merge; nil where nothing is held out.
    private func heldOutLoss(
        _ merge: MergeInProgress, _ evaluator: ModelEvaluator, _ correction: Correction
    ) throws -> Double? {
        try heldOutLoss(
            merge.context.adding(correction), evaluator,
            merge.weights.adding(coefficient: Correction.whole, merge.context.layers))
    }

    /// Of the merge at these weights, which fills the evaluator's parameters.
    private func heldOutLoss(
        _ context: MergeContext, _ evaluator: ModelEvaluator, _ weights: MergingWeights
    ) throws -> Double? {
        try CoefficientFit(
            context, evaluator.evaluation, evaluator.parameters, state: FitState(weights), teachers: evaluator.teachers
        ).heldOutLoss()
    }
}
