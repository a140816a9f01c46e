package import WorkerProtocol

/// How a worker ended.
package enum WorkerOutcome: Hashable, Sendable {
    /// The candidate lies in the plan's output directory.
    case finished(MergeResult)
    /// The worker said why it can't.
    case failed(WorkerEvent.Failure)
    /// It was stopped on purpose.
    case cancelled
    /// It ended without a result, was killed, hung, or could not be started: what happened, and its last words.
    case crashed(String)
}

/// Runs merges; the daemon's is `WorkerSupervisor`.
package protocol MergeWorker: Sendable {
    /// Runs the plan to its end. Cancelling the task stops the worker. `onEvent` sees `started` and `progress`.
    func merge(_ plan: MergePlan, onEvent: @escaping @Sendable (WorkerEvent) async -> Void) async -> WorkerOutcome

    /// What the plan's merge would take; nil where its method learns nothing. Reads headers only.
    func estimate(_ plan: MergePlan) async -> Result<MergeEstimate?, EstimateFailure>
}

/// Why a worker could not say what a merge takes.
package struct EstimateFailure: Error, Hashable, Sendable {
    package var message: String

    package init(_ message: String) { self.message = message }
}
