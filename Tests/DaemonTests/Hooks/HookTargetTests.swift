import Synchronization
import Testing
import WorkerProtocol

@testable import Daemon

/// Hooks that call several servers.
@Suite(.timeLimit(.minutes(20)))
struct HookTargetTests {
    private func hook(_ require: HookTargets.Requirement, retries: Int = 0) -> Hook {
        var hook = Hook("h", call: .command(["/call", "{target}"]))
        (hook.targets, hook.require, hook.retries) = (.list(["a:1", "b:1", "c:1"]), require, retries)
        return hook
    }

    private func run(
        _ hook: Hook, previous: Int? = nil, _ answer: @escaping @Sendable (String, HookCall) throws -> String
    ) async -> HookRunner.Outcome {
        let caller = FakeCaller { call, values, _ in try answer(values.target ?? "none", call) }
        return await HookRunner(caller: caller, clock: HastyClock(endless: [hook.timeout]))
            .run(hook, Samples.values(previous: previous)) { _, _ in }
    }

    @Test func confirmsWhenEveryTargetDoes() async {
        let outcome = await run(hook(.all)) { target, _ in "fine \(target)" }
        #expect(outcome == .done(attempts: 1, message: "3 of 3 targets confirmed the release"))
    }

    @Test(arguments: zip(HookTargets.Requirement.allCases, [false, true]))
    func quorumToleratesOneMissingTarget(require: HookTargets.Requirement, isDone: Bool) async {
        let outcome = await run(hook(require)) { target, _ in
            if target == "b:1" { throw HookFailure("connection refused") }
            return "fine"
        }
        let message = "2 of 3 targets confirmed the release; b:1: connection refused"
        #expect(outcome == (isDone ? .done(attempts: 1, message: message) : .failed(attempts: 1, message: message)))
    }

    @Test func retriesOnlyTargetsThatHaveNotConfirmed() async {
        let calls = Mutex<[String: Int]>([:])
        let outcome = await run(hook(.all, retries: 2)) { target, _ in
            let count = calls.withLock { calls in
                calls[target, default: 0] += 1
                return calls[target] ?? 0
            }
            if target == "c:1", count < 3 { throw HookFailure("starting") }
            return "fine"
        }
        #expect(outcome == .done(attempts: 3, message: "3 of 3 targets confirmed the release"))
        #expect(calls.withLock(\.self) == ["a:1": 1, "b:1": 1, "c:1": 3])
    }

    @Test func callsEveryAddressOfName() async throws {
        #expect(try HookTargets.name("localhost", port: 80).resolved().contains("127.0.0.1:80"))
        #expect(throws: HookFailure.self) { try HookTargets.name("no-such-host.invalid", port: 80).resolved() }
    }

    @Test func makesThenCallOnlyWithPreviousReleaseAndIgnoresItsFailure() async {
        var hook = Hook("h", call: .command(["/call"]))
        hook.then = .command(["/unload", "{previous}"])
        let answer: @Sendable (String, HookCall) throws -> String = { _, call in
            if case .command(let words) = call, words[0] == "/unload" { throw HookFailure("not loaded") }
            return "loaded"
        }
        #expect(await run(hook, answer) == .done(attempts: 1, message: "loaded"))
        #expect(
            await run(hook, previous: 2, answer) == .done(attempts: 1, message: "loaded; then failed: not loaded"))
    }

    @Test(arguments: [
        ("targets: [a:1], command: [/call]", "hooks[0].targets: no call names {target}"),
        ("http: {url: 'http://{target}/'}", "hooks[0]: {target} has no value"),
        ("targets: [a:0], http: {url: 'http://{target}/'}", "no port between 1 and 65535"),
        ("targets: [a:1, a:1], http: {url: 'http://{target}/'}", "expected a list of different host:port"),
        ("targets: [a:1], require: most, http: {url: 'http://{target}/'}", "expected all or quorum"),
        ("command: [/call], then: {}", "expected one of `command` and `http`"),
    ])
    func refusesConfigurationThatNamesWhatIsExpected(keys: String, fault: String) {
        #expect {
            try Samples.hooks("hooks: [{name: h, \(keys)}]")
        } throws: { error in "\(error)".contains(fault) }
    }
}
