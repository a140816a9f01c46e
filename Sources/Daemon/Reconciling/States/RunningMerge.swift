import Foundation
import WorkerProtocol

/// The merge that is under way: first a worker is at it, then, where the gate lets the candidate pass, the files of its
/// tasks are copied to where they are kept.
struct RunningMerge: Sendable {
    var request: MergeRequest
    var plan: MergePlan
    /// The worker, or the copying.
    var task: Task<Void, Never>?
    var progress: WorkerEvent.Progress?
    let started = Date()
    /// Each task's held-out figures at the last evaluation, and the evaluations so far.
    private(set) var scores: [HeldOutScore] = []
    private(set) var curve: [FitPoint] = []
    /// Quarters of the fit that the ledger knows.
    var quarters = 0
    /// Why it is being stopped.
    var cancellation: String?
    /// How the worker ended, once it has.
    var outcome: WorkerOutcome?
    /// The scan that is waited for before the outcome is acted on, and until when.
    var scanRequest = 0
    var scanDeadline = ContinuousClock.now
    /// Whether the team's own gate is asked, and what it came to.
    var isAsking = false
    var command: GateCommandOutcome?
    /// What the gate said of the candidate, where it may pass.
    var verdict: GateVerdict?
    /// How the copying ended, once it has.
    var keeping: KeepingOutcome?

    /// Points of the curve that are shown while the fit goes on.
    private static let shownPoints = 128

    mutating func note(_ progress: WorkerEvent.Progress) {
        self.progress = progress
        if let scores = progress.scores, !scores.isEmpty { self.scores = scores }
        guard let heldOut = progress.heldOut else { return }
        curve.append(FitPoint(step: progress.done, loss: progress.loss ?? heldOut, heldOut: heldOut))
        if curve.count >= 2 * Self.shownPoints { curve = curve.thinned(to: Self.shownPoints, keeping: progress.done) }
    }
}

/// How copying the files of deployed tasks ended.
enum KeepingOutcome: Sendable {
    case kept
    /// A file is no longer the one that was merged.
    case changed(String)
    /// For want of room or a fault of the disk.
    case failed(String)
}
