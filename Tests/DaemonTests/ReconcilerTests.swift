import Control
import Foundation
import Ledger
import Registry
import Releases
import Testing
import WorkerProtocol

@testable import Daemon

@Suite(.timeLimit(.minutes(20)))
struct ReconcilerTests {
    @Test func aDropBecomesARelease() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a", "b")
        try await stand.live { daemon in
            let reply = await daemon.rescan(wait: true)
            #expect(reply.outcome == .done)
            #expect(reply.version == 1)
            let status = await daemon.status()
            #expect(status.tasks.map(\.state) == [.deployed, .deployed])
            #expect(status.deployed?.tasks == ["a", "b"])
        }
        #expect(stand.worker.merged == [["a", "b"]])
        #expect(try stand.store.current()?.record.tasks.map(\.name) == ["a", "b"])
        let kinds = try await stand.kinds()
        #expect(kinds.filter { $0 == .published }.count == 1)
        #expect(kinds.first == .started && kinds.last == .stopped)
        #expect(try FileManager.default.contentsOfDirectory(atPath: stand.configuration.state + "/merges").isEmpty)
    }

    @Test func restartedWithNothingNewItDoesNothing() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        try await stand.live { _ = await $0.rescan(wait: true) }
        try await stand.live { #expect(await $0.rescan(wait: true).version == 1) }
        #expect(stand.worker.plans.count == 1)
        let kinds = try await stand.kinds()
        #expect(kinds.filter { $0 == .accepted }.count == 2)
        #expect(kinds.filter { $0 == .published }.count == 1)
    }

    @Test func oneHarmfulDropAmongSeveralIsFoundAndTheOthersArePublished() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a", "bad", "c")
        stand.worker.behave { plan in
            let isHarmed = plan.tasks.contains { $0.name == "bad" }
            return .finished(FakeWorker.result(plan, values: isHarmed ? ["a": 0.2, "bad": 0.9] : [:]))
        }
        try await stand.live { daemon in
            let reply = await daemon.rescan(wait: true)
            #expect(reply.outcome == .refused)
            #expect(reply.message.hasPrefix("refused: bad ("), "\(reply.message)")
            let states = await daemon.status().tasks.map(\.state)
            #expect(states == [.deployed, .setAside, .deployed])
        }
        #expect(stand.worker.merged == [["a", "bad", "c"], ["a"], ["a", "bad"], ["a", "c"]])
        #expect(try stand.store.current()?.record.tasks.map(\.name) == ["a", "c"])
        try await stand.live { _ = await $0.rescan(wait: true) }
        #expect(stand.worker.plans.count == 4)
    }

    @Test func aTaskThatTheWorkerRefusesDoesNotStopTheOthers() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a", "b")
        stand.worker.behave { plan in
            plan.tasks.contains { $0.name == "b" }
                ? .failed(.init(kind: .badTask, task: "b", message: "labels outside the head"))
                : await FakeWorker.succeed(plan)
        }
        try await stand.live { _ = await $0.rescan(wait: true) }
        #expect(stand.worker.merged == [["a", "b"], ["a"]])
        #expect(try stand.store.current()?.record.tasks.map(\.name) == ["a"])
    }

    @Test func aFailedMergeSaysSoAndWaits() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        stand.worker.behave { _ in .failed(.init(kind: .environment, message: "no space left")) }
        try await stand.live { daemon in
            let reply = await daemon.rescan(wait: true)
            #expect(reply.outcome == .failed)
            #expect(reply.message.contains("no space left"))
            #expect(await daemon.status().activity == .failing)
        }
        #expect(try stand.store.current() == nil)
        #expect(stand.worker.plans.count == 1)
    }

    @Test func failuresWaitLongerEachTime() {
        #expect(
            [1, 2, 3, 9, 10, 1000].map { Reconciler.delay(afterFailures: $0) }
                == [.seconds(1), .seconds(2), .seconds(4), .seconds(256), .seconds(300), .seconds(300)])
    }

    @Test func anInputThatVanishesStopsTheMerge() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a", "b")
        let (started, continuation) = AsyncStream<Void>.makeStream()
        stand.worker.behave { plan in
            guard plan.tasks.count == 2 else { return await FakeWorker.succeed(plan) }
            continuation.yield()
            await cancellation()
            return .cancelled
        }
        try await stand.live { daemon in
            for await _ in started { break }
            stand.drop("a")
            #expect(await daemon.rescan(wait: true).version == 1)
        }
        #expect(stand.worker.merged == [["a", "b"], ["a"]])
        #expect(try await stand.kinds().contains(.mergeCancelled))
    }

    @Test func stoppingInTheMiddleOfAMergeKeepsItsScratch() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        let (started, continuation) = AsyncStream<Void>.makeStream()
        stand.worker.behave { _ in
            continuation.yield()
            await cancellation()
            return .cancelled
        }
        try await stand.live { _ in for await _ in started { break } }
        let scratch = try #require(stand.worker.plans.first?.scratch)
        #expect(FileManager.default.fileExists(atPath: scratch))
        stand.worker.behave(FakeWorker.succeed)
        try await stand.live { _ = await $0.rescan(wait: true) }
        #expect(stand.worker.plans.map(\.scratch) == [scratch, scratch])
        #expect(Set(stand.worker.plans.map(\.merge)).count == 1)
    }

    @Test func aRollbackHoldsThroughARestartUntilSomethingArrives() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            stand.drop("a", "b")
            #expect(await daemon.rescan(wait: true).version == 2)
            let reply = await daemon.rollback(to: 1)
            #expect(reply.outcome == .done)
            #expect(reply.version == 3)
            #expect(await daemon.rescan(wait: true).version == 3)
        }
        #expect(try stand.store.current()?.record.rollbackOf == 1)
        try await stand.live { daemon in
            #expect(await daemon.rescan(wait: true).version == 3)
            stand.drop("a", "b", "c")
            #expect(await daemon.rescan(wait: true).version == 4)
        }
        #expect(try stand.store.current()?.record.tasks.map(\.name) == ["a", "b", "c"])
    }

    @Test func aTouchedDropDoesNotReleaseARollback() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            stand.drop("a", "b")
            _ = await daemon.rescan(wait: true)
            _ = await daemon.rollback(to: 1)
            var touched = Samples.snapshot([Samples.task("a")], base: stand.base())
            touched.tasks["b"] = .arriving("not yet still")
            stand.registry.set(touched)
            #expect(await daemon.rescan(wait: true).version == 3)
            stand.drop("a", "b")
            #expect(await daemon.rescan(wait: true).version == 3)
            #expect(await daemon.status().message.contains("held"))
        }
    }

    @Test func aRollbackBeforeTheFirstLookHolds() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            stand.drop("a", "b")
            _ = await daemon.rescan(wait: true)
        }
        let door = stand.registry.block()
        try await stand.live { daemon in
            #expect(await daemon.rollback(to: 1).version == 3)
            door.finish()
            #expect(await daemon.rescan(wait: true).version == 3)
        }
    }

    @Test func aRollbackToNowhereFailsAndChangesNothing() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            #expect(await daemon.rollback(to: 7).outcome == .failed)
            #expect(await daemon.status().deployed?.version == 1)
        }
    }

    @Test func aRollbackToWhatIsDeployedChangesNothing() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            let reply = await daemon.rollback(to: 1)
            #expect(reply == ActionReply(.done, "release 1 is deployed already", version: 1))
            stand.drop("a", "b")
            #expect(await daemon.rescan(wait: true).version == 2, "and nothing is held back")
        }
        #expect(try await !stand.kinds().contains(.rolledBack))
    }

    @Test func aReleaseThatTheLedgerMissesIsEnteredAtStart() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        try await stand.live { _ = await $0.rescan(wait: true) }
        try FileManager.default.removeItem(atPath: stand.configuration.ledger)
        try await stand.live { _ = await $0.rescan(wait: true) }
        let entries = try await Ledger(path: stand.configuration.ledger).entries()
        let published = entries.filter { $0.event == .published }
        #expect(published.count == 1)
        #expect(published.first?.version == 1)
        #expect(published.first?.details["recovered"] == .bool(true))
        #expect(stand.worker.plans.count == 1)
    }

    @Test func pausedNothingIsMergedUntilResume() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            _ = await daemon.pause()
            stand.drop("a")
            #expect(await daemon.rescan(wait: true).version == nil)
            #expect(await daemon.status().activity == .paused)
            _ = await daemon.resume()
            #expect(await daemon.rescan(wait: true).version == 1)
        }
    }

    @Test func removingATaskMergesWithoutItAndRemovingAllKeepsTheRelease() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a", "b")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            stand.drop("a")
            #expect(await daemon.rescan(wait: true).version == 2)
            stand.drop()
            let reply = await daemon.rescan(wait: true)
            #expect(reply.version == 2)
            #expect(reply.message.contains("stays"))
        }
    }

    @Test func aBadReloadKeepsTheOldConfigurationAndSaysSo() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            var other = stand.configuration
            other.deploy = "/elsewhere"
            await daemon.reload(.success(other))
            #expect(await daemon.status().deploy == stand.configuration.deploy)
            other = stand.configuration
            other.merge.steps = 7
            await daemon.reload(.success(other))
            #expect(await daemon.rescan(wait: true).version == 2)
        }
        #expect(try await stand.kinds().filter { $0 == .configurationRejected }.count == 1)
        #expect(stand.worker.plans.map(\.settings.steps) == [MergeSettings().steps, 7])
    }

    @Test func aWindowGathersArrivalsButNotForEver() {
        let start = ContinuousClock.now
        var window = ArrivalWindow()
        let settle = Duration.seconds(5)
        #expect(window.opens(start, settle: settle, isSettling: true) == nil)
        window.note(start)
        #expect(window.opens(start, settle: settle, isSettling: false) == start + .seconds(2))
        #expect(window.opens(start, settle: settle, isSettling: true) == start + .seconds(5))
        window.note(start + .seconds(4))
        #expect(window.opens(start + .seconds(4), settle: settle, isSettling: false) == start + .seconds(5))
        #expect(window.opens(start + .seconds(5), settle: settle, isSettling: true) == nil)
        #expect(window.opens(start, settle: .zero, isSettling: false) == nil)
    }
}
