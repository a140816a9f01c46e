import Control
import Releases

/// The trial that is under way: how far it has got, and its check. What the ledger holds of it is `RecordedRollout`.
struct RunningTrial: Sendable {
    private(set) var state: RolloutState
    /// The check that is asked.
    var check: Task<Void, Never>?
    /// What each server said at the last check.
    private(set) var targets: [DaemonStatus.CheckTarget] = []
    /// When a decision that could not be carried out is taken again.
    var retryAt: ContinuousClock.Instant?
    /// What the check said, until it is acted on.
    private var answer: CheckAnswer?

    init(version: Int) { state = RolloutState(version: version) }

    var version: Int { state.version }

    var hasAnswer: Bool { answer != nil }

    /// When it goes on by itself.
    var deadlines: [ContinuousClock.Instant] { [state.nextCheck, retryAt].compactMap(\.self) }

    /// Whether it acts at `now`, or waits for a failed decision to be taken again; then the wait is over.
    mutating func isDue(_ now: ContinuousClock.Instant) -> Bool {
        guard retryAt ?? now <= now else { return false }
        retryAt = nil
        return true
    }

    mutating func note(_ report: CheckReport) {
        (answer, targets) = (report.answer, report.targets)
    }

    /// What the hooks, the check's answer and the clock come to at `now`.
    mutating func proceed(
        at now: ContinuousClock.Instant, hooks: HookSchedule.Trial, _ settings: RolloutSettings
    ) -> [RolloutState.Action] {
        var actions: [RolloutState.Action] = []
        if case .ended(let failure) = hooks {
            actions += state.handle(.hooksEnded(failure: failure), at: now, settings)
        }
        if let answer { actions += state.handle(.answered(answer), at: now, settings) }
        answer = nil
        return actions + state.handle(.clock, at: now, settings)
    }
}
