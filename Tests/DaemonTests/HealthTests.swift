import Control
import Files
import Foundation
import Registry
import Releases
import Testing
import WorkerProtocol

@testable import Daemon

@Suite(.timeLimit(.minutes(20)))
struct HealthTests {
    private func problems(
        _ snapshot: (DaemonStand) -> RegistrySnapshot, _ outcome: WorkerOutcome? = nil, isPaused: Bool = false
    ) async throws -> HealthReply {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.registry.set(snapshot(stand))
        if let outcome { stand.worker.behave { _ in outcome } }
        var health = HealthReply(problems: [])
        try await stand.live { daemon in
            if isPaused { _ = await daemon.pause() }
            _ = await daemon.rescan(wait: true)
            health = await daemon.health()
        }
        #expect(health.problems.allSatisfy { HealthReply.codes.contains($0.code) && !$0.message.isEmpty })
        return health
    }

    @Test func nothingIsWrongWithADaemonThatIsUpToDate() async throws {
        let health = try await problems { Samples.snapshot([Samples.task("a")], base: $0.base()) }
        #expect(health == HealthReply(problems: []) && health.isHealthy)
    }

    @Test func refusedTasksAndStraysAreWarnings() async throws {
        let health = try await problems { stand in
            var snapshot = Samples.snapshot([Samples.task("a")], base: stand.base())
            snapshot.tasks["b"] = .refused(Refusal(code: "pickle", message: "a pickle", fingerprint: "f"))
            snapshot.strays["c d"] = "not a name"
            return snapshot
        }
        #expect(health.isHealthy && health.problems.map(\.code) == ["task-refused", "stray"])
        #expect(health.problems[0].task == "b" && health.problems[0].message == "a pickle")
    }

    @Test func reportsARegistryThatCantBeWatched() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.registry.set(Samples.snapshot([Samples.task("a")], base: stand.base()))
        try await stand.live { daemon in
            await daemon.watch(failingBecause: "inotify failed with errno 24")
            _ = await daemon.rescan(wait: true)
            let health = await daemon.health()
            #expect(health.isHealthy && health.problems.map(\.code) == ["registry-unwatched"])
            await daemon.watch(failingBecause: nil)
            #expect(await daemon.health().problems.isEmpty)
        }
    }

    @Test func reportsThatTheFoldersOfAllDeployedTasksAreGone() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.registry.set(Samples.snapshot([Samples.task("a")], base: stand.base()))
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            stand.registry.set(Samples.snapshot([], base: stand.base()))
            _ = await daemon.rescan(wait: true)
            let health = await daemon.health()
            #expect(!health.isHealthy && health.problems.contains { $0.code == "all-tasks-gone" }, "\(health)")
        }
    }

    @Test func withoutABaseNothingCanBeReleased() async throws {
        let health = try await problems { _ in RegistrySnapshot(base: .missing, tasks: [:]) }
        #expect(!health.isHealthy && health.problems.map(\.code) == ["no-base"])
    }

    @Test func aFailingMergeIsAnError() async throws {
        let health = try await problems(
            { Samples.snapshot([Samples.task("a")], base: $0.base()) }, .crashed("out of memory"))
        #expect(!health.isHealthy && health.problems.first?.code == "merge-failing")
        #expect(health.problems.first?.message.contains("out of memory") == true)
    }

    @Test func aLedgerThatWasCutOffIsAnErrorAndNothingNotesIt() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        try await stand.live { _ = await $0.rescan(wait: true) }
        let path = stand.configuration.ledger
        let lines = try Durable.contents(path).split(separator: 0x0A)
        try Durable.replace(path, with: lines.prefix(2).flatMap { $0 + [0x0A] })
        try await stand.live { daemon in
            stand.drop("a", "b")
            #expect(await daemon.rescan(wait: true).version == 2, "merging goes on")
            let health = await daemon.health()
            #expect(!health.isHealthy && health.problems.map(\.code) == ["ledger-doubtful"])
            #expect(health.problems.first?.message.contains("release 1 noted") == true)
            #expect(HealthReply.codes.contains("ledger-doubtful"))
            let text = await daemon.metrics(deployment: "")
            #expect(text.contains("supermerge_health_problems{code=\"ledger-doubtful\"} 1\n"))
        }
        #expect(try stand.store.release(1).record.ledger != nil)
        #expect(try stand.store.release(2).record.ledger == nil)
    }

    @Test func aLookThatDoesNotEndIsAWarningAfterTenMinutes() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        let door = stand.registry.block()
        try await stand.live { daemon in
            while await daemon.scans.runningSince == nil { try await turn() }
            let began = try #require(await daemon.scans.runningSince)
            let patient = await daemon.health(at: began + .seconds(599))
            #expect(patient.problems == [])
            let late = await daemon.health(at: began + .seconds(600))
            #expect(late.isHealthy && late.problems.map(\.code) == ["look-slow"])
            #expect(late.problems.allSatisfy { $0.severity == .warning && HealthReply.codes.contains($0.code) })
            let message = try #require(late.problems.first?.message)
            #expect(message.contains("for 10 minutes") && message.contains(stand.configuration.registry))
            door.finish()
            #expect(await daemon.rescan(wait: true).version == 1)
            let tomorrow = ContinuousClock.now + .seconds(86_400)
            while await !daemon.health(at: tomorrow).problems.isEmpty { try await turn() }
        }
    }

    @Test func aPauseIsAWarning() async throws {
        let health = try await problems(
            { Samples.snapshot([Samples.task("a")], base: $0.base()) }, isPaused: true)
        #expect(health.isHealthy && health.problems.map(\.code) == ["paused"])
    }
}
