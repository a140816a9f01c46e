internal import WorkerProtocol

extension MergePlan {
    /// The most passes of a batch that a merge of these tasks takes, without those that only score; nil where it is a
    /// tree, of which only the fits that are not stored are made.
    func mostPasses(_ settings: ResolvedSettings, _ tasks: [TaskModel], calibrates: Bool) -> PassCount? {
        let isFitted = settings.method.isLearned
        guard !isFitted || settings.strategy != .hierarchical else { return nil }
        var passes = PassCount()
        let batches = tasks.reduce(0) { sum, task in
            let count = Double(task.validation?.entries.first?.shape.first ?? 0)
            let fitted = Int((count * (1 - settings.holdout)).rounded(.up))
            return sum + (fitted + settings.batch - 1) / settings.batch
        }
        let runs = isFitted ? MergeRun.mostCalibrations : RidgeSearch.most + 1
        if !isFitted || calibrates { passes.forward = 2 * batches * runs }
        guard isFitted else { return passes }
        let former = deployed?.record
        let known = Set(former?.tasks.map(\.name) ?? [])
        let isArrival =
            settings.strategy == .incremental && former?.settings.hasForm(of: settings) == true
            && 2 * self.tasks.count { known.contains($0.name) } >= self.tasks.count
        let steps = (isArrival ? FitSchedule(arrival: settings) : FitSchedule(settings)).steps
        let compared = calibrates && settings.start == .auto ? 2 * MergeRun.mostStepsOfComparison(settings) : 0
        passes.backward = (steps + min(steps, compared)) * tasks.count
        passes.forward += passes.backward
        return passes
    }
}
