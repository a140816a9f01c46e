internal import WorkerProtocol

extension MergePlan {
    /// What admission said of the base and of each task, for the report.
    var warningNotes: [String] {
        base.warnings.map { "base: \($0)" } + tasks.flatMap { task in task.warnings.map { "\(task.name): \($0)" } }
    }
}
