import Control
import Foundation
import Ledger
import Synchronization
import Testing
import WorkerProtocol

@testable import Daemon

/// Hooks in the life of a daemon.
@Suite(.timeLimit(.minutes(20)))
struct ReconcilerHookTests {
    private func stand(_ caller: FakeCaller, retries: Int = 0, hooks: [String] = ["one"]) throws -> DaemonStand {
        var stand = try DaemonStand(Samples.snapshot([]))
        stand.hooks = HookRunner(caller: caller, clock: HastyClock(endless: [.seconds(4444)]))
        stand.configuration.hooks = hooks.map { name in
            var hook = Hook(name, call: .command(["/" + name]))
            (hook.timeout, hook.retries) = (.seconds(4444), retries)
            return hook
        }
        return stand
    }

    /// As a server that does not answer.
    private func hang() async throws {
        await cancellation()
        throw HookFailure("cancelled")
    }

    /// Waits until no hook runs.
    private func settled(_ daemon: Reconciler) async throws -> [DaemonStatus.Hook] {
        while true {
            let hooks = await daemon.status().hooks
            if hooks.allSatisfy({ $0.state != .running }) { return hooks }
            try await turn()
        }
    }

    private func events(_ stand: DaemonStand) async throws -> [LedgerEntry] {
        try Ledger.entries(path: stand.configuration.ledger).filter {
            $0.event == .hook || $0.event == .hookFailed
        }
    }

    @Test func everyPublishAndRollbackCallsEveryHook() async throws {
        let caller = FakeCaller()
        let stand = try stand(caller, hooks: ["one", "two"])
        defer { stand.remove() }
        try await stand.live { daemon in
            #expect(await daemon.status().hooks.map(\.state) == [.waiting, .waiting])
            stand.drop("a")
            _ = await daemon.rescan(wait: true)
            _ = try await settled(daemon)
            stand.drop("a", "b")
            _ = await daemon.rescan(wait: true)
            _ = try await settled(daemon)
            _ = await daemon.rollback(to: 1)
            let hooks = try await settled(daemon)
            #expect(hooks == ["one", "two"].map { .init($0, .done, version: 3, attempts: 1, message: "fine") })
            #expect(await daemon.health().problems.map(\.code) == ["held"])
        }
        #expect(caller.calls.sorted() == ["one 1", "one 2", "one 3", "two 1", "two 2", "two 3"])
        let events = try await events(stand)
        #expect(events.count == 6 && events.allSatisfy { $0.event == .hook })
        #expect(events.last?.version == 3 && events.last?.details["outcome"] == "done")
    }

    /// A quorum goes on without a server; the next rescan finds it back, and only then the ledger speaks of it again.
    @Test func aServerThatComesBackIsCaughtUp() async throws {
        let isUp = Mutex(false)
        let caller = FakeCaller { _, values, _ in
            if values.target == "b:1", !isUp.withLock({ $0 }) { throw HookFailure("connection refused") }
            return "fine"
        }
        var stand = try stand(caller)
        defer { stand.remove() }
        stand.configuration.rescan = .milliseconds(20)
        stand.configuration.hooks[0].call = .command(["/one", "{target}"])
        stand.configuration.hooks[0].targets = .list(["a:1", "b:1", "c:1"])
        stand.configuration.hooks[0].require = .quorum
        try await stand.live { daemon in
            stand.drop("a")
            _ = await daemon.rescan(wait: true)
            let hook = try #require(try await settled(daemon).first)
            #expect(hook.state == .done && hook.targets?.map(\.version) == [1, nil, 1], "\(hook)")
            #expect(hook.message == "2 of 3 targets confirmed the release; b:1: connection refused")
            isUp.withLock { $0 = true }
            while await daemon.status().hooks.first?.targets?.map(\.version) != [1, 1, 1] { try await turn() }
            // A server's answer is seen before it is recorded.
            while try await events(stand).count < 2 { try await turn() }
        }
        let calls = caller.calls
        try await stand.live { daemon in
            // Whoever asks before the daemon has read its ledger hears nothing of the servers.
            _ = await daemon.rescan(wait: true)
            #expect(await daemon.status().hooks.first?.targets?.map(\.version) == [1, 1, 1], "as the ledger has it")
        }
        #expect(caller.calls == calls)
        let messages = try await events(stand).map(\.message)
        #expect(
            messages == [
                "hook one succeeded for release 1: 2 of 3 targets confirmed the release; b:1: connection refused",
                "hook one succeeded for release 1: 3 of 3 targets confirmed the release",
            ])
    }

    @Test func aFailedHookIsSeenEverywhereAndThePublishStands() async throws {
        let stand = try stand(FakeCaller { _, _, _ in throw HookFailure("<b>no</b>") }, retries: 2)
        defer { stand.remove() }
        try await stand.live { daemon in
            stand.drop("a")
            _ = await daemon.rescan(wait: true)
            let hooks = try await settled(daemon)
            #expect(hooks == [.init("one", .failed, version: 1, attempts: 3, message: "<b>no</b>")])
            let health = await daemon.health()
            #expect(health.isHealthy && health.problems.map(\.code) == ["hook-failed"])
            #expect(health.problems[0].message == "hook one: <b>no</b>")
            let metrics = await daemon.metrics(deployment: "")
            #expect(metrics.contains("\nsupermerge_hook_state{hook=\"one\",state=\"failed\"} 1\n"))
            #expect(metrics.contains("\nsupermerge_events_total{event=\"hook-failed\"} 1\n"))
            #expect(await daemon.status().deployed?.version == 1)
            stand.drop("a", "b")
            _ = await daemon.rescan(wait: true)
            #expect(await daemon.status().deployed?.version == 2)
            _ = try await settled(daemon)
        }
        let failed = try await events(stand)
        #expect(failed.map(\.event) == [.hookFailed, .hookFailed] && failed.map(\.version) == [1, 2])
        #expect(failed[0].message == "hook one failed for release 1 after 3 attempts: <b>no</b>")
        #expect(JournalRecord(failed[0]).priority == 3)
    }

    @Test func aHookThatHangsHoldsNothingUpAndTheNextPublishEndsIt() async throws {
        let caller = FakeCaller { _, values, _ in
            if values.release == 1 { try await hang() }
            return "fine"
        }
        let stand = try stand(caller)
        defer { stand.remove() }
        try await stand.live { daemon in
            stand.drop("a")
            _ = await daemon.rescan(wait: true)
            while caller.calls.isEmpty { try await turn() }
            #expect(await daemon.status().hooks.first?.state == .running)
            stand.drop("a", "b")
            #expect(await daemon.rescan(wait: true).version == 2)
            #expect(try await settled(daemon).first?.version == 2)
        }
        #expect(caller.calls == ["one 1", "one 2"])
        let outcomes = try await events(stand).map { $0.details["outcome"] }
        #expect(outcomes == ["given-up", "done"])
    }

    @Test func whatHadNotSucceededRunsAgainAfterARestart() async throws {
        let works = Mutex(false)
        let caller = FakeCaller { _, values, _ in
            if values.hook == "hangs", !works.withLock(\.self) { try await hang() }
            if values.hook == "fails", !works.withLock(\.self) { throw HookFailure("no") }
            return "fine"
        }
        let stand = try stand(caller, hooks: ["fails", "hangs", "works"])
        defer { stand.remove() }
        try await stand.live { daemon in
            stand.drop("a")
            _ = await daemon.rescan(wait: true)
            while await daemon.status().hooks.map(\.state) != [.failed, .running, .done] { try await turn() }
            while caller.calls.count < 3 { try await turn() }
        }
        works.withLock { $0 = true }
        try await stand.live { daemon in
            while await daemon.status().hooks.map(\.state) != [.done, .done, .done] { try await turn() }
        }
        try await stand.live { daemon in
            #expect(await daemon.status().hooks.allSatisfy { $0.state == .waiting || $0.state == .done })
            _ = await daemon.rescan(wait: true)
            #expect(await daemon.status().hooks.map(\.state) == [.done, .done, .done])
        }
        #expect(caller.calls.sorted() == ["fails 1", "fails 1", "hangs 1", "hangs 1", "works 1"])
    }

    @Test func aReloadRunsNewAndFailedHooks() async throws {
        let works = Mutex(false)
        let caller = FakeCaller { _, _, _ in
            guard works.withLock(\.self) else { throw HookFailure("no") }
            return "fine"
        }
        let stand = try stand(caller)
        defer { stand.remove() }
        try await stand.live { daemon in
            stand.drop("a")
            _ = await daemon.rescan(wait: true)
            var states = try await settled(daemon).map(\.state)
            #expect(states == [.failed])
            works.withLock { $0 = true }
            var new = stand.configuration
            new.hooks.append(Hook("two", call: .command(["/two"])))
            new.hooks[1].timeout = .seconds(4444)
            await daemon.reload(.success(new))
            states = try await settled(daemon).map(\.state)
            #expect(states == [.done, .done])
            new.hooks.removeFirst()
            await daemon.reload(.success(new))
            let names = try await settled(daemon).map(\.name)
            #expect(names == ["two"])
        }
        #expect(caller.calls.sorted() == ["one 1", "one 1", "two 1"])
    }
}
