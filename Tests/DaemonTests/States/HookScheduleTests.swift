import Control
import Testing

@testable import Daemon

struct HookScheduleTests {
    private let a = Hook("a")
    private let b = Hook("b")

    private func started(_ hooks: [Hook], version: Int = 3) -> HookSchedule {
        var schedule = HookSchedule()
        for hook in hooks { schedule.start(hook, version: version) { _ in Task {} } }
        return schedule
    }

    @Test func startsWhatNeitherRunsNorHasSucceeded() {
        let schedule = started([a])
        let due = schedule.due([a, b], subject: { _ in 3 }, done: [:])
        #expect(due.map(\.hook) == [b] && due.map(\.version) == [3])
        #expect(schedule.due([a, b], subject: { _ in 3 }, done: ["b": 3]).isEmpty)
        #expect(schedule.due([a, b], subject: { _ in nil }, done: [:]).isEmpty)
    }

    @Test func givesUpRunsForOtherReleasesAndOtherSettings() {
        var schedule = started([b, a])
        let none = schedule.takeOutdated([a, b], subject: { _ in 3 })
        #expect(none.isEmpty)
        var changed = b
        changed.retries = 1
        let reconfigured = schedule.takeOutdated([a, changed], subject: { _ in 3 })
        #expect(reconfigured.map(\.hook) == [b])
        let superseded = schedule.takeOutdated([a, changed], subject: { _ in 4 })
        #expect(superseded.map(\.hook) == [a])
        #expect(schedule.tasks.isEmpty)
    }

    @Test func ignoresTheWordOfAnEarlierRun() {
        var schedule = started([a])
        _ = schedule.takeOutdated([a], subject: { _ in 4 })
        schedule.start(a, version: 4) { _ in Task {} }
        #expect(schedule.fail("a", id: 1, attempt: 1, "late") == false)
        #expect(schedule.end("a", id: 1, .done(attempts: 1, message: "late")) == nil)
        #expect(schedule.end("a", id: 2, .cancelled) == nil)
        #expect(schedule.status(of: a, version: 4, done: nil).state == .running)
    }

    @Test func saysHowFarItHasGot() {
        var schedule = started([a, b])
        #expect(schedule.fail("a", id: 1, attempt: 2, "refused") == true)
        let status = schedule.status(of: a, version: 3, done: nil)
        #expect(status.state == .running && status.attempts == 2 && status.message == "refused")
        let end = schedule.end("a", id: 1, .failed(attempts: 3, message: "refused"))
        #expect(end == HookSchedule.End(version: 3, isDone: false, attempts: 3, message: "refused"))
        #expect(schedule.trial(of: 3, [a, b], subject: { _ in 3 }) == .running)
        let other = schedule.end("b", id: 2, .done(attempts: 1, message: "fine"))
        #expect(other?.isDone == true)
        #expect(schedule.trial(of: 3, [a, b], subject: { _ in 3 }) == .ended(failure: "hook a failed: refused"))
        #expect(schedule.trial(of: 3, [b], subject: { _ in 3 }) == .ended(failure: nil))
        #expect(schedule.status(of: b, version: 3, done: 3).state == .done)
    }

    private func servers(_ name: String = "a", _ targets: HookTargets = .list(["x:1", "y:1"])) -> Hook {
        var hook = Hook(name)
        (hook.targets, hook.require) = (targets, .quorum)
        return hook
    }

    private func answers(_ confirmed: String...) -> [HookRunner.TargetAnswer] {
        ["x:1", "y:1"].map { target in
            let isConfirmed = confirmed.contains(target)
            return .init(target: target, isConfirmed: isConfirmed, message: isConfirmed ? "fine" : "refused")
        }
    }

    @Test func saysWhatIsOnEachServer() {
        var schedule = HookSchedule()
        schedule.restore(["a": ["x:1": 2, "y:1": 1]])
        let hook = servers()
        #expect(schedule.servers(of: hook)?.map(\.version) == [2, 1] && schedule.servers(of: b) == nil)
        schedule.start(hook, version: 3) { _ in Task {} }
        #expect(schedule.note("a", id: 1, answers("x:1")) == true)
        #expect(schedule.servers(of: hook)?.map(\.version) == [3, 1])
        #expect(schedule.status(of: hook, version: 3, done: nil).targets?.last?.message == "refused")
        #expect(schedule.note("a", id: 7, answers("x:1", "y:1")) == false)
        #expect(schedule.confirmed(hook, version: 3) == ["x:1": "fine"])
    }

    /// What a server missed is tried again after a pause, silently until it succeeds.
    @Test func catchesUpServersThatWereDown() throws {
        var schedule = HookSchedule()
        let (hook, now, pause) = (servers(), ContinuousClock.now, Duration.seconds(300))
        let overdue = { (schedule: inout HookSchedule, after: Duration) in
            schedule.overdue([hook], every: pause, at: now + after, done: ["a": 3]) { _ in 3 }
        }
        schedule.start(hook, version: 3) { _ in Task {} }
        #expect(overdue(&schedule, pause * 2).isEmpty, "it runs")
        _ = schedule.note("a", id: 1, answers("x:1"))
        let first = schedule.end("a", id: 1, .done(attempts: 1, message: "1 of 2"), at: now)
        #expect(first?.isDone == true)
        #expect(overdue(&schedule, pause / 2).isEmpty && overdue(&schedule, pause) == [hook])

        schedule.start(hook, version: 3, isCatchUp: true) { _ in Task {} }
        #expect(schedule.status(of: hook, version: 3, done: 3).state == .done)
        #expect(schedule.trial(of: 3, [hook], subject: { _ in 3 }) == .ended(failure: nil))
        _ = schedule.note("a", id: 2, answers("x:1"))
        #expect(schedule.end("a", id: 2, .done(attempts: 1, message: "1 of 2"), at: now + pause) == nil, "nothing new")
        #expect(overdue(&schedule, pause).isEmpty && overdue(&schedule, pause * 2) == [hook])

        schedule.start(hook, version: 3, isCatchUp: true) { _ in Task {} }
        _ = schedule.note("a", id: 3, answers("x:1", "y:1"))
        let ended = schedule.end("a", id: 3, .done(attempts: 1, message: "2 of 2"), at: now + pause * 2)
        let end = try #require(ended)
        #expect(end.message == "2 of 2" && schedule.servers(of: hook)?.map(\.version) == [3, 3])
        #expect(overdue(&schedule, pause * 9).isEmpty, "every server has it")
    }

    @Test func triesFailedHooksAgainAndNamesForNewServers() {
        var schedule = HookSchedule()
        let (named, now) = (servers("n", .name("models", port: 80)), ContinuousClock.now)
        let overdue = { (schedule: inout HookSchedule, hook: Hook, done: [String: Int]) in
            _ = schedule.overdue([hook], every: .zero, at: now, done: done) { _ in 3 }
            return schedule.overdue([hook], every: .zero, at: now, done: done) { _ in 3 } == [hook]
        }
        #expect(overdue(&schedule, a, ["a": 3]) == false && overdue(&schedule, a, ["a": 2]))
        #expect(overdue(&schedule, named, ["n": 3]))
        schedule.start(a, version: 3) { _ in Task {} }
        #expect(schedule.end("a", id: 1, .failed(attempts: 6, message: "refused")) != nil)
        schedule.start(a, version: 3, isCatchUp: true) { _ in Task {} }
        #expect(schedule.end("a", id: 2, .failed(attempts: 1, message: "refused")) == nil)
        #expect(schedule.status(of: a, version: 3, done: nil).state == .failed)
        schedule.start(a, version: 3, isCatchUp: true) { _ in Task {} }
        let back = schedule.end("a", id: 3, .done(attempts: 1, message: "fine"))
        #expect(back?.isDone == true)
    }

    @Test func knowsWhatSucceededBeforeARestart() {
        #expect(HookSchedule().status(of: a, version: 3, done: 3).state == .done)
        #expect(HookSchedule().status(of: a, version: 4, done: 3).state == .waiting)
        #expect(HookSchedule().status(of: a, version: nil, done: nil).state == .waiting)
    }
}
