import Control
import Files
import Foundation
import Ledger
import Releases
import Synchronization
import Testing
import WorkerProtocol

@testable import Daemon

/// Releases on trial: a reconciler over a real deploy directory, with a check that answers as a test says.
@Suite(.timeLimit(.minutes(20)))
struct CanaryTests {
    /// What checks answer, and how often they were asked.
    final class Check: HookCalling {
        private let state = Mutex<(answer: Result<String, HookFailure>, asked: [HookValues])>((.success("fine"), []))

        func set(_ answer: Result<String, HookFailure>) { state.withLock { $0.answer = answer } }
        var asked: [HookValues] { state.withLock { $0.asked } }

        func call(_ call: HookCall, _ values: HookValues) async throws(HookFailure) -> String {
            let answer = state.withLock { state in
                state.asked.append(values)
                return state.answer
            }
            return try answer.get()
        }

        func fetch(_ request: HookRequest, _ values: HookValues) async throws(HookFailure) -> [UInt8] { [] }
    }

    private let check = Check()

    /// With release 1 of task a deployed, at which nothing was on trial.
    private func stand(_ change: (inout RolloutSettings) -> Void = { _ in }) async throws -> DaemonStand {
        var stand = try DaemonStand(Samples.snapshot([]))
        stand.checker = RolloutChecker(caller: check)
        stand.drop("a")
        try await stand.live { #expect(await $0.rescan(wait: true).version == 1) }
        var settings = RolloutSettings()
        settings.strategy = .canary
        (settings.window, settings.interval) = (.seconds(3600), .milliseconds(100))
        settings.check = .call(.command(["/check"]))
        change(&settings)
        stand.configuration.rollout = settings
        return stand
    }

    private func link(_ stand: DaemonStand, _ name: String) throws -> String? {
        try Durable.linkTarget("\(stand.configuration.deploy)/\(name)")
    }

    private func last(_ stand: DaemonStand, _ kind: LedgerEvent.Kind) throws -> LedgerEntry? {
        try Ledger.entries(path: stand.configuration.ledger).last { $0.event == kind }
    }

    /// Waits for an entry of this kind.
    private func wait(_ daemon: Reconciler, for kind: LedgerEvent.Kind, version: Int) async throws {
        var (revision, sequence): (Int?, Int) = (nil, -1)
        while true {
            let reply = try await daemon.watch(revision: revision, after: sequence)
            if reply.entries.contains(where: { $0.event == kind && $0.version == version }) { return }
            (revision, sequence) = (reply.revision, max(sequence, reply.sequence))
        }
    }

    @Test func aCandidateIsPromotedWhenItsCheckHasHeld() async throws {
        let stand = try await stand { $0.window = .milliseconds(150) }
        defer { stand.remove() }
        stand.drop("a", "b")
        try await stand.live { daemon in
            try await wait(daemon, for: .promoted, version: 2)
            #expect(await daemon.status().deployed?.version == 2)
            #expect(await daemon.status().rollout == nil)
        }
        #expect(try link(stand, "current") == "versions/2" && link(stand, "candidate") == nil)
        let kinds = try await stand.kinds()
        #expect(kinds.filter { $0 == .published }.count == 1, "the second release was promoted")
        let values = try #require(check.asked.first)
        #expect(values.release == 2 && values.current.hasSuffix("/candidate") && values.previous == 1)
        #expect(try last(stand, .promoted)?.message.hasPrefix("release 2 promoted: the check held for") == true)
        #expect(stand.store.faultOfCurrent() == nil)
    }

    @Test func aCandidateWhoseCheckFailsIsRejectedAndNotTriedAgain() async throws {
        let stand = try await stand()
        defer { stand.remove() }
        check.set(.failure(HookFailure("accuracy 0.3", isAnswer: true)))
        stand.drop("a", "b")
        try await stand.live { daemon in
            try await wait(daemon, for: .rejected, version: 2)
            let reply = await daemon.rescan(wait: true)
            #expect(reply.outcome == .refused && reply.version == 1, "\(reply)")
            let task = try #require(await daemon.status().tasks.first { $0.name == "b" })
            #expect(task.state == .setAside && task.message.contains("accuracy 0.3"), "\(task)")
        }
        #expect(try link(stand, "current") == "versions/1" && link(stand, "candidate") == nil)
        #expect(try last(stand, .checkFailed)?.details["answer"] == .string("accuracy 0.3"))
        #expect(try last(stand, .rejected)?.message == "release 2 rejected: the check failed: accuracy 0.3")
        #expect(stand.worker.merged == [["a"], ["a", "b"]])
        // It stays so, until the task is another one.
        try await stand.live { #expect(await $0.rescan(wait: true).version == 1) }
        #expect(stand.worker.merged.count == 2)
        check.set(.success("fine"))
        stand.drop("a", "c")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            #expect(await daemon.status().rollout?.version == 3)
        }
    }

    @Test func aCheckWithoutAnAnswerHoldsTheCandidate() async throws {
        let stand = try await stand { $0.window = .zero }
        defer { stand.remove() }
        check.set(.failure(HookFailure("connection refused")))
        stand.drop("a", "b")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            while await daemon.status().rollout?.state != .silent {
                let revision = try await daemon.watch(revision: nil, after: nil).revision
                _ = try await daemon.watch(revision: revision, after: nil, patience: .milliseconds(200))
            }
            #expect(await daemon.health().problems.map(\.code).contains("check-silent"))
            #expect(await daemon.status().tasks.first { $0.name == "b" }?.state == .candidate)
            #expect(await daemon.reject(7).message == "release 7 is not on trial: release 2 is")
            #expect(await daemon.promote(2).outcome == .done)
            #expect(await daemon.promote(2).message == "release 2 is not on trial: no release is; it is deployed")
        }
        #expect(try link(stand, "current") == "versions/2" && link(stand, "candidate") == nil)
        #expect(try last(stand, .promoted)?.message == "release 2 promoted: by the operator")
    }

    @Test func arrivalsWaitOrJoin() async throws {
        for isJoining in [false, true] {
            let stand = try await stand { $0.arrivals = isJoining ? .join : .wait }
            defer { stand.remove() }
            stand.drop("a", "b")
            try await stand.live { daemon in
                _ = await daemon.rescan(wait: true)
                #expect(await daemon.status().rollout?.version == 2)
                stand.drop("a", "b", "c")
                let reply = await daemon.rescan(wait: true)
                #expect(await daemon.status().rollout?.version == (isJoining ? 3 : 2))
                #expect(reply.message.contains("what has arrived waits") != isJoining, "\(reply.message)")
                #expect(await daemon.reject(isJoining ? 3 : 2).outcome == .done)
            }
            #expect(stand.worker.merged.prefix(3).last == (isJoining ? ["a", "b", "c"] : ["a", "c"]) || !isJoining)
            if isJoining {
                let entries = try Ledger.entries(path: stand.configuration.ledger)
                #expect(
                    entries.contains {
                        $0.event == .rejected && $0.message == "release 2 rejected: release 3 took its place"
                    })
            }
            #expect(try link(stand, "current") == "versions/1")
        }
    }

    @Test func aRollbackDuringATrialEndsIt() async throws {
        let stand = try await stand { $0.window = .zero }
        defer { stand.remove() }
        stand.drop("a", "b")
        try await stand.live { try await wait($0, for: .promoted, version: 2) }
        var held = stand
        held.configuration.rollout.window = .seconds(3600)
        stand.drop("a", "b", "c")
        try await held.live { daemon in
            _ = await daemon.rescan(wait: true)
            #expect(await daemon.status().rollout?.version == 3)
            #expect(await daemon.rollback(to: 3).outcome == .failed)
            #expect(await daemon.rollback(to: 1).version == 4)
            #expect(await daemon.status().rollout == nil)
        }
        #expect(try link(stand, "current") == "versions/4" && link(stand, "candidate") == nil)
        #expect(try last(stand, .rejected)?.version == 3)
    }

    @Test func aDeployedReleaseThatIsWatchedIsRolledBack() async throws {
        let stand = try await stand { $0.strategy = .immediate }
        defer { stand.remove() }
        check.set(.failure(HookFailure("accuracy 0.3", isAnswer: true)))
        stand.drop("a", "b")
        try await stand.live { daemon in
            try await wait(daemon, for: .rolledBack, version: 3)
            #expect(await daemon.status().deployed?.rollbackOf == 1)
            stand.drop("a", "b", "c")
            check.set(.success("fine"))
            #expect(await daemon.rescan(wait: true).version == 4)
        }
        let entry = try #require(try last(stand, .rolledBack))
        #expect(
            entry.message == "rolled back to release 1 as release 3: release 2: the check failed: accuracy 0.3")
        #expect(
            stand.worker.merged == [["a"], ["a", "b"], ["a", "c"]], "what was new is set aside, the rest goes on")
    }

    /// There is none before it to stay with, or to go back to: it is not on trial, and nobody waits for it.
    @Test(arguments: RolloutSettings.Strategy.allCases)
    func theFirstReleaseIsNotOnTrial(strategy: RolloutSettings.Strategy) async throws {
        var stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.checker = RolloutChecker(caller: check)
        stand.configuration.rollout.strategy = strategy
        stand.configuration.rollout.check = .call(.command(["/check"]))
        stand.drop("a")
        try await stand.live { daemon in
            #expect(await daemon.rescan(wait: true).version == 1)
            #expect(await daemon.status().rollout == nil)
            stand.drop("a", "b")
            _ = await daemon.rescan(wait: true)
            #expect(await daemon.status().rollout?.version == 2)
        }
        #expect(check.asked.allSatisfy { $0.release == 2 })
    }

    @Test func hooksOfTheCanaryFollowTheCandidateAndGoBack() async throws {
        var stand = try await stand()
        defer { stand.remove() }
        let caller = FakeCaller()
        stand.hooks = HookRunner(caller: caller)
        var (canary, release) = (Hook("canary", call: .command(["/x"])), Hook("release", call: .command(["/y"])))
        canary.stage = .canary
        release.stage = .release
        stand.configuration.hooks = [canary, release]
        stand.drop("a", "b")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            try await wait(daemon, for: .hook, version: 2)
            #expect(await daemon.reject(2).outcome == .done)
            while caller.calls.last != "canary 1" || caller.calls.count < 4 {
                _ = try await daemon.watch(revision: nil, after: nil, patience: .milliseconds(50))
                await Task.yield()
            }
        }
        #expect(caller.calls.filter { $0.hasPrefix("release") } == ["release 1"])
        #expect(caller.calls.filter { $0.hasPrefix("canary") } == ["canary 1", "canary 2", "canary 1"])
    }
}
