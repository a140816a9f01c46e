/// How far the trial of one release has got: a value that takes what happens and says what to do. Nothing of it has to
/// survive a restart, which begins the window anew; what the ledger holds is `RecordedRollout`.
package struct RolloutState: Hashable, Sendable {
    package enum Phase: Hashable, Sendable {
        /// The hooks that tell servers of the release have not ended.
        case starting
        /// The check is asked.
        case checking
        /// It has been decided.
        case decided
    }

    package enum Event: Hashable, Sendable {
        /// The hooks for the release have ended; nil: all of them succeeded.
        case hooksEnded(failure: String?)
        /// The clock has got further.
        case clock
        case answered(CheckAnswer)
    }

    package enum Action: Hashable, Sendable {
        case ask
        /// The check said no, for the first time in a row.
        case recordFailure(String)
        /// Why nothing is heard has changed.
        case report(String)
        case promote(String)
        case takeBack(String)
    }

    package let version: Int
    package private(set) var phase = Phase.starting
    /// What is known of it, in one sentence.
    package private(set) var message = "its hooks have not ended"
    /// Time in which the check held.
    package private(set) var heldFor = Duration.zero
    /// Why there is no answer; nil where the last check was answered.
    package private(set) var silence: String?
    /// The answer that said no, while nothing was done about it.
    package private(set) var failure: String?
    /// When to ask next; nil while an answer is awaited, or where nothing is asked.
    package private(set) var nextCheck: ContinuousClock.Instant?
    private var heldAt: ContinuousClock.Instant?

    package init(version: Int) { self.version = version }

    /// Takes one event in at `now`. An answer that comes when everything is decided changes nothing.
    package mutating func handle(
        _ event: Event, at now: ContinuousClock.Instant, _ settings: RolloutSettings
    ) -> [Action] {
        guard phase != .decided else { return [] }
        switch event {
        case .hooksEnded(let failure): return hooksEnded(failure, now, settings)
        case .clock:
            guard phase == .checking, let due = nextCheck, due <= now else { return [] }
            nextCheck = nil
            return [.ask]
        case .answered(let answer):
            guard phase == .checking else { return [] }
            nextCheck = now + settings.interval
            switch answer {
            case .held(let said): return held(said, now, settings)
            case .failed(let said): return failed(said, settings)
            case .silent(let reason): return silent(reason, now, settings)
            }
        }
    }

    /// An operator has decided.
    package mutating func decide() {
        phase = .decided
        nextCheck = nil
    }

    private mutating func hooksEnded(
        _ failure: String?, _ now: ContinuousClock.Instant, _ settings: RolloutSettings
    ) -> [Action] {
        guard phase == .starting else { return [] }
        if let failure {
            let reason = "a server may not have the release: \(failure)"
            guard settings.onSilence == .rollback else {
                guard silence != reason else { return [] }
                (silence, message) = (reason, reason)
                return [.report(reason)]
            }
            return takeBack(reason)
        }
        phase = .checking
        silence = nil
        if settings.isByHand {
            message = "an operator decides"
        } else {
            message = "the check has not been answered yet"
            nextCheck = now
        }
        return []
    }

    private mutating func held(
        _ said: String, _ now: ContinuousClock.Instant, _ settings: RolloutSettings
    ) -> [Action] {
        (silence, failure) = (nil, nil)
        message = said
        count(now, settings)
        guard heldFor >= settings.window else { return [] }
        decide()
        return [.promote("the check held for \(Self.text(heldFor)): \(said)")]
    }

    private mutating func failed(_ said: String, _ settings: RolloutSettings) -> [Action] {
        heldAt = nil
        let isNew = failure == nil
        (silence, failure, message) = (nil, said, said)
        guard settings.onFailure == .rollback else { return isNew ? [.recordFailure(said)] : [] }
        decide()
        return [.recordFailure(said), .takeBack("the check failed: \(said)")]
    }

    private mutating func silent(
        _ reason: String, _ now: ContinuousClock.Instant, _ settings: RolloutSettings
    ) -> [Action] {
        let isNew = silence != reason
        (silence, message) = (reason, "no answer: \(reason)")
        switch settings.onSilence {
        case .rollback: return takeBack("the check gave no answer: \(reason)")
        case .hold:
            heldAt = nil
            return isNew ? [.report(message)] : []
        case .promote:
            count(now, settings)
            guard heldFor >= settings.window else { return isNew ? [.report(message)] : [] }
            decide()
            return [
                .promote(
                    "nothing was said against it for \(Self.text(heldFor)); the last check gave no answer: \(reason)")
            ]
        }
    }

    private mutating func takeBack(_ reason: String) -> [Action] {
        message = reason
        decide()
        return [.takeBack(reason)]
    }

    /// Adds the time since the check before, where that held, too; of a longer pause, such as a machine asleep, only
    /// what a check takes.
    private mutating func count(_ now: ContinuousClock.Instant, _ settings: RolloutSettings) {
        if let heldAt { heldFor += min(heldAt.duration(to: now), settings.interval + settings.timeout) }
        heldAt = now
    }

    private static func text(_ time: Duration) -> String {
        let seconds = time.components.seconds
        return seconds < 120 ? "\(seconds) s" : "\(seconds / 60) min"
    }
}
