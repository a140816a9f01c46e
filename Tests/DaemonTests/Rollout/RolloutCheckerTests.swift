import Control
import Synchronization
import Testing

@testable import Daemon

/// Checks that ask several servers.
@Suite(.timeLimit(.minutes(20)))
struct RolloutCheckerTests {
    private static let targets = HookTargets.list(["a:1", "b:1", "c:1"])

    /// Each server answers as `answers` says: `yes`, `no`, why it does not, or `hangs`; the timeout is over when all
    /// others have answered.
    private func ask(
        _ answers: [String: String], _ require: HookTargets.Requirement, of targets: HookTargets = targets
    ) async throws -> CheckReport {
        let answered = Mutex(0)
        let caller = FakeCaller { _, values, _ in
            defer { answered.withLock { $0 += 1 } }
            let answer = answers[values.target ?? ""] ?? "unknown server"
            guard answer != "hangs" else {
                await cancellation()
                throw CancellationError()
            }
            guard answer == "yes" else { throw HookFailure(answer, isAnswer: answer == "no") }
            return answer
        }
        let check = RolloutCheck.servers(.command(["/bin/ask", "{target}"]), targets, require)
        let clock = ManualClock()
        async let report = RolloutChecker(caller: caller, clock: clock).ask(
            check, Samples.values(), timeout: .seconds(1))
        let hanging = answers.values.count { $0 == "hangs" }
        while hanging > 0, answered.withLock({ $0 }) < answers.count {
            if answered.withLock({ $0 }) == answers.count - hanging, clock.sleeperCount == hanging {
                clock.advance(by: .seconds(1))
            }
            try await turn()
        }
        return await report
    }

    @Test(arguments: [
        (["yes", "yes", "yes"], "held", "held"), (["yes", "down", "yes"], "silent", "held"),
        (["yes", "no", "yes"], "failed", "held"), (["yes", "down", "no"], "failed", "silent"),
        (["yes", "down", "down"], "silent", "silent"), (["yes", "no", "no"], "failed", "failed"),
        (["yes", "hangs", "yes"], "silent", "held"),
    ])
    func asksEachServerAndCounts(answers: [String], all: String, quorum: String) async throws {
        let given = Dictionary(uniqueKeysWithValues: zip(["a:1", "b:1", "c:1"], answers))
        for (require, wanted) in [(HookTargets.Requirement.all, all), (.quorum, quorum)] {
            let report = try await ask(given, require)
            let held = answers.count { $0 == "yes" }
            let (name, text) =
                switch report.answer {
                case .held(let text): ("held", text)
                case .failed(let text): ("failed", text)
                case .silent(let text): ("silent", text)
                }
            #expect(name == wanted && text.hasPrefix("\(held) of 3 servers say yes"), "\(require): \(report)")
            #expect(report.targets.map(\.target) == ["a:1", "b:1", "c:1"])
            #expect(report.targets.map { $0.state == .held } == answers.map { $0 == "yes" })
            #expect(answers.contains("no") == (text.hasSuffix(": no") || text.contains(": no;")), "\(text)")
        }
    }

    @Test func aNameThatCanNotBeResolvedIsNoAnswer() async throws {
        let report = try await ask([:], .all, of: .name("no-such-host.invalid", port: 80))
        guard case .silent(let reason) = report.answer else {
            Issue.record("\(report)")
            return
        }
        #expect(reason.contains("cannot resolve 'no-such-host.invalid'") && report.targets.isEmpty)
    }
}
