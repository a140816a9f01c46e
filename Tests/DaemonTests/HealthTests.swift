import Control
import Foundation
import Registry
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

    @Test func aPauseIsAWarning() async throws {
        let health = try await problems(
            { Samples.snapshot([Samples.task("a")], base: $0.base()) }, isPaused: true)
        #expect(health.isHealthy && health.problems.map(\.code) == ["paused"])
    }
}
