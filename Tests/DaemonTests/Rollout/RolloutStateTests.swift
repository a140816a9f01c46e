import Testing

@testable import Daemon

/// The trial of a release as a value: what happens, and what it says to do.
@Suite struct RolloutStateTests {
    private let start = ContinuousClock.now
    private var settings: RolloutSettings {
        var settings = RolloutSettings()
        (settings.window, settings.interval, settings.timeout) = (.seconds(60), .seconds(30), .seconds(5))
        settings.check = .call(.command(["/bin/true"]))
        return settings
    }

    private func begun(_ settings: RolloutSettings) -> RolloutState {
        var state = RolloutState(version: 2)
        #expect(state.handle(.clock, at: start, settings) == [], "its hooks have not ended")
        #expect(state.handle(.hooksEnded(failure: nil), at: start, settings) == [])
        #expect(state.handle(.clock, at: start, settings) == [.ask])
        #expect(state.handle(.clock, at: start + .seconds(1), settings) == [], "one question at a time")
        return state
    }

    @Test func promotesWhenTheCheckHasHeldForTheWindow() {
        var state = begun(settings)
        #expect(state.handle(.answered(.held("fine")), at: start, settings) == [])
        #expect(state.nextCheck == start + .seconds(30))
        #expect(state.handle(.clock, at: start + .seconds(30), settings) == [.ask])
        #expect(state.handle(.answered(.held("fine")), at: start + .seconds(31), settings) == [])
        #expect(state.heldFor == .seconds(31))
        let actions = state.handle(.answered(.held("fine")), at: start + .seconds(61), settings)
        #expect(actions == [.promote("the check held for 61 s: fine")])
        #expect(state.handle(.answered(.failed("late")), at: start + .seconds(62), settings) == [])
    }

    @Test func takesBackAtTheFirstNo() {
        var state = begun(settings)
        let actions = state.handle(.answered(.failed("0.3 is below the minimum 0.8")), at: start, settings)
        #expect(
            actions == [
                .recordFailure("0.3 is below the minimum 0.8"),
                .takeBack("the check failed: 0.3 is below the minimum 0.8"),
            ])
        #expect(state.phase == .decided && state.nextCheck == nil)
    }

    @Test func holdsAfterANoWhereAnOperatorDecides() {
        var settings = settings
        settings.onFailure = .hold
        var state = begun(settings)
        #expect(state.handle(.answered(.failed("no")), at: start, settings) == [.recordFailure("no")])
        #expect(state.handle(.answered(.failed("no")), at: start + .seconds(30), settings) == [], "once in a row")
        #expect(state.failure == "no" && state.heldFor == .zero)
        #expect(state.handle(.answered(.held("fine")), at: start + .seconds(60), settings) == [])
        #expect(state.failure == nil)
        #expect(
            state.handle(.answered(.failed("again")), at: start + .seconds(90), settings) == [.recordFailure("again")])
    }

    @Test func timeWithoutAnAnswerDoesNotCount() {
        var state = begun(settings)
        _ = state.handle(.answered(.held("fine")), at: start, settings)
        _ = state.handle(.answered(.held("fine")), at: start + .seconds(30), settings)
        let silent = state.handle(.answered(.silent("refused")), at: start + .seconds(60), settings)
        #expect(silent == [.report("no answer: refused")] && state.silence == "refused")
        #expect(state.handle(.answered(.silent("refused")), at: start + .seconds(90), settings) == [], "told once")
        #expect(state.handle(.answered(.held("fine")), at: start + .seconds(120), settings) == [])
        #expect(state.heldFor == .seconds(30) && state.silence == nil)
        #expect(state.handle(.answered(.held("fine")), at: start + .seconds(150), settings).count == 1)
    }

    @Test func silenceCountsOrTakesBackWhereItIsConfigured() {
        var settings = settings
        settings.onSilence = .promote
        var state = begun(settings)
        _ = state.handle(.answered(.silent("down")), at: start, settings)
        _ = state.handle(.answered(.silent("down")), at: start + .seconds(30), settings)
        let end = state.handle(.answered(.silent("down")), at: start + .seconds(60), settings)
        #expect(end == [.promote("nothing was said against it for 60 s; the last check gave no answer: down")])
        settings.onSilence = .rollback
        state = begun(settings)
        let actions = state.handle(.answered(.silent("down")), at: start, settings)
        #expect(actions == [.takeBack("the check gave no answer: down")])
    }

    /// A machine that slept for an hour, or a step of the clock that the process sees as one.
    @Test func aLongPauseDoesNotEndAWindow() {
        var settings = settings
        settings.window = .seconds(600)
        var state = begun(settings)
        _ = state.handle(.answered(.held("fine")), at: start, settings)
        #expect(state.handle(.answered(.held("fine")), at: start + .seconds(3600), settings) == [])
        #expect(state.heldFor == .seconds(35))
    }

    @Test func aFailedHookIsSilence() {
        var state = RolloutState(version: 2)
        let reason = "a server may not have the release: hook canary failed: refused"
        #expect(
            state.handle(.hooksEnded(failure: "hook canary failed: refused"), at: start, settings) == [.report(reason)])
        #expect(state.handle(.hooksEnded(failure: "hook canary failed: refused"), at: start, settings) == [])
        #expect(state.phase == .starting && state.silence == reason)
        #expect(state.handle(.hooksEnded(failure: nil), at: start, settings) == [])
        #expect(state.phase == .checking && state.silence == nil)
    }

    @Test func withoutACheckNothingIsAsked() {
        var settings = settings
        settings.check = .byHand
        var state = RolloutState(version: 2)
        _ = state.handle(.hooksEnded(failure: nil), at: start, settings)
        #expect(state.handle(.clock, at: start + .seconds(9000), settings) == [] && state.nextCheck == nil)
        #expect(state.message == "an operator decides")
    }
}
