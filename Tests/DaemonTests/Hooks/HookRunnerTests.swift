import Foundation
import Testing
import WorkerProtocol

@testable import Daemon

/// Attempts, pauses and limits of one hook.
@Suite(.timeLimit(.minutes(20)))
struct HookRunnerTests {
    private func hook(check: Bool = false) -> Hook {
        var hook = Hook("h", call: .command(["/call"]), check: check ? HookCheck(.command(["/check"])) : nil)
        hook.timeout = .seconds(1111)
        hook.check?.within = .seconds(2222)
        return hook
    }

    private let limits: Set<Duration> = [.seconds(1111), .seconds(2222)]

    private func run(
        _ hook: Hook, _ clock: any Clock<Duration>,
        _ answer: @escaping @Sendable (HookCall, HookValues, Int) async throws -> String
    ) async -> (HookRunner.Outcome, [String]) {
        let caller = FakeCaller(answer)
        let outcome = await HookRunner(caller: caller, clock: clock).run(hook, Samples.values()) { _, _ in }
        return (outcome, caller.calls)
    }

    @Test func aCallThatSucceedsIsMadeOnce() async {
        let (outcome, calls) = await run(hook(), HastyClock(endless: limits)) { _, _, _ in "fine" }
        #expect(outcome == .done(attempts: 1, message: "fine") && calls.count == 1)
    }

    @Test func pausesDoubleAndAttemptsEnd() async {
        let clock = HastyClock(endless: limits)
        var hook = hook()
        hook.retries = 10
        let (outcome, calls) = await run(hook, clock) { _, _, _ in throw HookFailure("no") }
        #expect(outcome == .failed(attempts: 11, message: "no") && calls.count == 11)
        #expect(clock.sleeps == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300].map { .seconds($0) })
    }

    @Test func aServerThatComesBackIsReached() async {
        let (outcome, _) = await run(hook(), HastyClock(endless: limits)) { _, _, before in
            if before < 3 { throw HookFailure("connection refused") }
            return "fine"
        }
        #expect(outcome == .done(attempts: 4, message: "fine"))
    }

    @Test func aSuccessCodeIsNotBelievedWithoutTheCheck() async {
        let (outcome, calls) = await run(hook(check: true), HastyClock(endless: limits)) { call, _, before in
            if call == .command(["/call"]) { return "loaded" }
            if before < 4 { throw HookFailure("still release 2") }
            return "release 3"
        }
        #expect(outcome == .done(attempts: 1, message: "confirmed by release 3") && calls.count == 5)
    }

    @Test func aCheckThatNeverHoldsFailsTheAttempt() async {
        var hook = hook(check: true)
        hook.retries = 0
        hook.check?.within = .milliseconds(1)
        let (outcome, _) = await run(hook, ContinuousClock()) { call, _, _ in
            if call == .command(["/call"]) { return "loaded" }
            throw HookFailure("still release 2")
        }
        guard case .failed(1, let message) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(message.hasPrefix("not confirmed within 1ms: "))
    }

    @Test func aCallThatHangsIsGivenUp() async {
        var hook = hook()
        hook.retries = 0
        hook.timeout = .milliseconds(1)
        let (outcome, _) = await run(hook, ContinuousClock()) { _, _, _ in
            await cancellation()
            throw HookFailure("cancelled")
        }
        #expect(outcome == .failed(attempts: 1, message: "no answer within 1ms"))
    }

    @Test func stoppingEndsTheCall() async {
        let hook = hook()
        let runner = HookRunner(
            caller: FakeCaller { _, _, _ in
                await cancellation()
                throw HookFailure("cancelled")
            }, clock: HastyClock(endless: limits))
        let task = Task { await runner.run(hook, Samples.values()) { _, _ in } }
        task.cancel()
        #expect(await task.value == .cancelled)
    }
}
