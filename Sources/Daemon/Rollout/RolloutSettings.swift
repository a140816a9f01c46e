import Files

/// How a release takes the place of the one before.
package struct RolloutSettings: Hashable, Sendable {
    package enum Strategy: String, CaseIterable, Sendable {
        /// `current` is switched at once; a check, where there is one, watches afterwards.
        case immediate
        /// The release is the candidate first, and `current` follows when its check has held.
        case canary
    }

    /// What a check that gives no answer leads to.
    package enum Silence: String, CaseIterable, Sendable {
        /// Time without an answer does not count as time in which the check held.
        case hold
        /// It counts.
        case promote
        /// The release is taken back, as after an answer that says no.
        case rollback
    }

    /// What a check that says no leads to.
    package enum Failure: String, CaseIterable, Sendable {
        case rollback
        /// It is in the ledger, and an operator decides.
        case hold
    }

    /// What becomes of tasks that arrive while a release is on trial.
    package enum Arrivals: String, CaseIterable, Sendable {
        case wait
        /// They are merged at once with what is on trial, and the new release takes its place.
        case join
    }

    package var strategy = Strategy.immediate
    /// How long the check must have held, in all, before the release is no longer on trial.
    package var window = Duration.seconds(1800)
    /// Pause between two checks.
    package var interval = Duration.seconds(30)
    /// Time that one check may take.
    package var timeout = Duration.seconds(30)
    package var onFailure = Failure.rollback
    package var onSilence = Silence.hold
    package var arrivals = Arrivals.wait
    package var check: RolloutCheck?

    package init() {}

    /// Whether a release that is deployed at once is watched.
    var watches: Bool { !isByHand }

    /// Whether nobody but an operator decides.
    var isByHand: Bool { check == nil || check == .byHand }
}

/// How the team finds out whether a release on trial is good.
package enum RolloutCheck: Hashable, Sendable {
    /// A program or an HTTP call. Exit status 0, or 200 to 299 with the expected content, says yes; exit status 1, or
    /// any other answer, says no; everything else is no answer.
    case call(HookCall)
    /// The same asked of each server, in place of `{target}`: so many of them have to say yes. No, where so many can't
    /// any more; no answer, where those that gave none could make it so.
    case servers(HookCall, HookTargets, HookTargets.Requirement)
    case prometheus(PrometheusQuery)
    /// An operator promotes or rejects.
    case byHand
}
