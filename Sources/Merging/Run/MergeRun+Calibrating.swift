internal import Torch
internal import WorkerProtocol

extension MergeRun {
    /// The closed form alone: the task vectors at `scale`, and the whole of the correction.
    func calibrate(_ merge: inout MergeInProgress, _ evaluator: ModelEvaluator) throws {
        reportStart(merge)
        guard let correction = try correction(&merge, evaluator) else {
            throw MergeError.base(
                "the graph has no layer that calibration solves for: no linear layer, convolution, batch or group norm with "
                    + "parameters of its own outside the tasks' heads; choose another method")
        }
        merge.context = try merge.context.adding(correction)
        merge.weights = merge.weights.adding(coefficient: Correction.whole, merge.context.layers)
        merge.noteFitted(evaluator.evaluation)
    }

    /// Calibrates the merge at the method's own coefficients; nil where no layer was solved for. Where λ is not set it
    /// is the usual one or a better neighbour by the held-out loss (`RidgeSearch`). The evaluator's parameters are
    /// overwritten.
    func correction(_ merge: inout MergeInProgress, _ evaluator: ModelEvaluator) throws -> Correction? {
        let (context, evaluation, parameters) = (merge.context, evaluator.evaluation, evaluator.parameters)
        guard parameters.isResident else {
            throw MergeError.base(
                "calibration needs the whole model in memory, which `memory` does not allow: raise it, or set `start: task-vectors`"
            )
        }
        let phase = evaluation.passes.phase
        evaluation.passes.phase = .calibrating
        defer { evaluation.passes.phase = phase }
        var search = RidgeSearch(context.settings.ridge)
        var best: Correction?
        var tensors = 0
        while let ridge = search.next {
            let calibration = try Calibration(context, evaluation, parameters, ridge: ridge)
            let layers = try calibration.run(start: merge.weights) { [unowned self] done, total in
                try progress(.calibrating, done, total)
            }
            evaluation.passes.add(forward: passes(evaluation, batch: context.settings.batch))
            tensors = layers.count
            guard tensors > 0 else { break }
            let path = plan.scratch + "/correction-\(ridge).safetensors"
            try Correction.write(layers, parameters, context, start: merge.weights, to: path)
            let correction = try Correction(path: path)
            let loss = context.settings.ridge == nil ? try heldOutLoss(merge, evaluator, correction) : nil
            if search.record(loss) { best = correction }
        }
        if best != nil {
            merge.result.notes.append("calibration solved for \(tensors) tensors with \(search.summary)")
        }
        return best
    }

    /// Passes of a batch by which every fitted example goes through its task's checkpoint and through the calibrated
    /// model.
    private func passes(_ evaluation: EvaluationContext, batch: Int) -> Int {
        2 * evaluation.sets.reduce(0) { $0 + (($1?.fitted.count ?? 0) + batch - 1) / batch }
    }

    /// Of the calibrated merge; nil where nothing is held out.
    private func heldOutLoss(
        _ merge: MergeInProgress, _ evaluator: ModelEvaluator, _ correction: Correction
    ) throws -> Double? {
        let weights = merge.weights.adding(coefficient: Correction.whole, merge.context.layers)
        return try CoefficientFit(
            merge.context.adding(correction), evaluator.evaluation, evaluator.parameters, state: FitState(weights),
            teachers: evaluator.teachers
        ).heldOutLoss()
    }
}
