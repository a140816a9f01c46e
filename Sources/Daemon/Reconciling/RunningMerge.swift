import WorkerProtocol

/// The merge that is under way: first a worker is at it, then, where the gate lets the candidate pass, the files of its tasks
/// are copied to where they are kept.
struct RunningMerge: Sendable {
    var request: MergeRequest
    var plan: MergePlan
    /// The worker, or the copying.
    var task: Task<Void, Never>?
    var progress: WorkerEvent.Progress?
    /// Quarters of the fit that the ledger knows.
    var quarters = 0
    /// Why it is being stopped.
    var cancellation: String?
    /// How the worker ended, once it has.
    var outcome: WorkerOutcome?
    /// The look that is waited for before the outcome is acted on, and until when.
    var lookWanted = 0
    var lookDeadline = ContinuousClock.now
    /// What the gate said of the candidate, where it may pass.
    var verdict: GateVerdict?
    /// How the copying ended, once it has.
    var keeping: KeepingOutcome?
}

/// How copying the files of deployed tasks ended.
enum KeepingOutcome: Sendable {
    case kept
    /// A file is no longer the one that was merged.
    case changed(String)
    /// For want of room or a fault of the disk.
    case failed(String)
}
