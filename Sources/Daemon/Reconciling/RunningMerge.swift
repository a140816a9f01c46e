import WorkerProtocol

/// The merge that a worker is at.
struct RunningMerge: Sendable {
    var request: MergeRequest
    var plan: MergePlan
    var task: Task<Void, Never>?
    var progress: WorkerEvent.Progress?
    /// Quarters of the fit that the ledger knows.
    var quarters = 0
    /// Why it is being stopped.
    var cancellation: String?
    /// How the worker ended, once it has.
    var outcome: WorkerOutcome?
}
