import Control
import Files
import Foundation
import Ledger
import Releases
import Synchronization
import Testing
import WorkerProtocol

@testable import Daemon

/// Slow looks, a full disk, inputs that come and go under a merge.
@Suite(.timeLimit(.minutes(20)))
struct ReconcilerTroubleTests {
    @Test func commandsAndFinishedMergesDoNotWaitForALook() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        let (started, starting) = AsyncStream<Void>.makeStream()
        let (ending, end) = AsyncStream<Void>.makeStream()
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            stand.worker.behave { plan in
                starting.yield()
                for await _ in ending {}
                return await FakeWorker.succeed(plan)
            }
            stand.drop("a", "b")
            await daemon.wake()
            for await _ in started { break }
            let door = stand.registry.block()
            await daemon.wake()
            end.finish()
            while await daemon.status().deployed?.version != 2 { try await turn() }
            #expect(await daemon.rollback(to: 1).version == 3)
            #expect(await daemon.pause().outcome == .done)
            door.finish()
        }
    }

    /// A waiter whose patience is over must not keep the loop awake through a merge.
    @Test func aLongMergeWithAWaiterLetsTheLoopSleep() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        let (started, starting) = AsyncStream<Void>.makeStream()
        stand.worker.behave { _ in
            starting.yield()
            await cancellation()
            return .cancelled
        }
        try await stand.live { daemon in
            for await _ in started { break }
            let waiting = Task { await daemon.rescan(wait: true) }
            while await daemon.waiters.isEmpty { try await turn() }
            await daemon.age(.seconds(60))
            // A busy loop would never give a time to come.
            while try #require(await daemon.nextDeadline()) <= .now { try await turn() }
            await daemon.stop()
            #expect(await waiting.value.outcome == .failed)
        }
    }

    /// A drop that is copied in makes thousands of events.
    @Test func manyEventsAreFewLooks() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        let clock = ContinuousClock()
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            let (before, began) = (stand.registry.looks, clock.now)
            while stand.registry.looks < before + 3 {
                await daemon.wake()
                try await turn()
            }
            #expect(clock.now - began >= ScanSchedule.pause * 2)
        }
    }

    @Test func oldReleasesGoWithoutANewOne() async throws {
        var stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.configuration.retain.versions = 1
        try await stand.live { daemon in
            stand.drop("a")
            _ = await daemon.rescan(wait: true)
            stand.drop("a", "b")
            #expect(await daemon.rescan(wait: true).version == 2)
        }
        #expect(try stand.store.releases().map(\.version) == [1, 2], "within the grace")
        stand.configuration.retain.grace = .zero
        try await stand.live { _ = await $0.rescan(wait: true) }
        #expect(try stand.store.releases().map(\.version) == [2])
    }

    /// By the wall clock, release 1 was superseded years ago; this process has only just seen it.
    @Test func aClockThatJumpsEndsNoGrace() async throws {
        var stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.configuration.retain.versions = 1
        try await stand.live { daemon in
            stand.drop("a")
            _ = await daemon.rescan(wait: true)
            stand.drop("a", "b")
            #expect(await daemon.rescan(wait: true).version == 2)
        }
        let folder = stand.configuration.deploy + "/versions/2"
        try Durable.changeMode(folder, to: 0o750)
        let record = String(decoding: try Durable.contents(folder + "/release.json"), as: UTF8.self)
        let created = try stand.store.release(2).record.created
        try Durable.replace(
            folder + "/release.json", with: Array(record.replacing(created, with: "2020-01-01T00:00:00Z").utf8))
        #expect(try stand.store.retirable(keep: 1, grace: .seconds(3600), now: Date()) == [1])
        stand.configuration.retain.grace = .seconds(3600)
        try await stand.live { _ = await $0.rescan(wait: true) }
        #expect(try stand.store.standing().sorted() == [1, 2])
        stand.configuration.retain.grace = .zero
        try await stand.live { _ = await $0.rescan(wait: true) }
        #expect(try stand.store.standing() == [2])
    }

    @Test func whatTheLedgerCantSayIsDeletedIsNotDeleted() async throws {
        var stand = try DaemonStand(Samples.snapshot([]), retain: 1)
        defer { stand.remove() }
        stand.calls.write = { [real = LedgerCalls()] descriptor, bytes in
            guard String(decoding: bytes, as: UTF8.self).contains(#""event":"retired""#) else {
                return real.write(descriptor, bytes)
            }
            errno = ENOSPC
            return -1
        }
        try await stand.live { daemon in
            stand.drop("a")
            _ = await daemon.rescan(wait: true)
            stand.drop("a", "b")
            _ = await daemon.rescan(wait: true)
            #expect(await daemon.status().deployed?.version == 2)
            let standing = try stand.store.standing().sorted()
            #expect(standing == [1, 2])
        }
        stand.calls = LedgerCalls()
        try await stand.live { _ = await $0.rescan(wait: true) }
        #expect(try stand.store.standing() == [2])
        #expect(try await stand.kinds().filter { $0 == .retired }.count == 1)
    }

    /// `verify` names a release that somebody deleted, until it is as old as those that are deleted anyway.
    @Test func aReleaseThatSomebodyDeletedIsEnteredWhenItIsOld() async throws {
        let stand = try DaemonStand(Samples.snapshot([]), retain: 2)
        defer { stand.remove() }
        let retired = {
            try Ledger.entries(path: stand.configuration.ledger).filter { $0.event == .retired }.map(\.message)
        }
        try await stand.live { daemon in
            stand.drop("a")
            _ = await daemon.rescan(wait: true)
            stand.drop("a", "b")
            #expect(await daemon.rescan(wait: true).version == 2)
            try Durable.remove(stand.configuration.deploy + "/versions/1")
            #expect(try retired() == [])
            stand.drop("a", "b", "c")
            #expect(await daemon.rescan(wait: true).version == 3)
        }
        #expect(try retired() == ["old release 1 was gone already"])
    }

    @Test func aLedgerThatWasMovedAwayHoldsMergingUntilItIsBack() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        let path = stand.configuration.ledger
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            try Durable.rename(path, to: path + ".away")
            stand.drop("a")
            #expect(await daemon.rescan(wait: true).outcome == .failed)
            let codes = await daemon.health().problems.map(\.code)
            #expect(codes == ["ledger-unwritable", "waiting"])
            #expect(stand.worker.plans.isEmpty)
            try Durable.rename(path + ".away", to: path)
            #expect(await daemon.rescan(wait: true).version == 1)
        }
        let kinds = try await stand.kinds()
        #expect(kinds.contains(.accepted) && kinds.last == .stopped)
    }

    @Test func whatTheLedgerCantTakeIsNotCalledDone() async throws {
        var stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        let isFull = Mutex(false)
        stand.calls.write = { [real = LedgerCalls()] descriptor, bytes in
            guard isFull.withLock({ $0 }) else { return real.write(descriptor, bytes) }
            errno = ENOSPC
            return -1
        }
        try await stand.live { daemon in
            #expect(await daemon.rescan(wait: true).outcome == .done)
            isFull.withLock { $0 = true }
            stand.drop("a", "b")
            let reply = await daemon.rescan(wait: true)
            #expect(reply.outcome == .failed && reply.message.contains("ledger"))
            let pause = await daemon.pause()
            #expect(pause.outcome == .failed && pause.message.contains("restart"))
            isFull.withLock { $0 = false }
        }
        #expect(try Ledger.entries(path: stand.configuration.ledger).contains { $0.message.contains("paused") })
    }

    @Test func anEntryThatIsTooLongIsCutAndStopsNobody() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        try await stand.live { daemon in
            let words = String(repeating: "x", count: 17 << 20)
            await daemon.record(LedgerEvent(.hook, message: words, details: ["short": 1, "long": .string(words)]))
            #expect(await daemon.rescan(wait: true).version == 1)
        }
        let entry = try #require(try Ledger.entries(path: stand.configuration.ledger).first { $0.event == .hook })
        #expect(entry.message.hasSuffix("(cut)") && entry.details == ["short": 1])
    }

    @Test func aBaseThatCantBePublishedIsNotTriedOverAndOver() async throws {
        var stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.retryDelay = { _ in .zero }
        stand.drop("a")
        try Data(#"{"auto_map": {}}"#.utf8)
            .write(to: URL(filePath: stand.configuration.registry + "/base/tokenizer_config.json"))
        try await stand.live { daemon in
            let reply = await daemon.rescan(wait: true)
            #expect(reply.outcome == .failed && reply.message.contains("auto_map"))
            #expect(await daemon.status().activity == .waiting)
        }
        #expect(stand.worker.plans.count == 1)
    }

    @Test func aTaskThatComesBackWhileAMergeLeavesItOutStopsThatMerge() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a", "b")
        let (started, starting) = AsyncStream<Void>.makeStream()
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            stand.worker.behave { plan in
                guard plan.tasks.count == 1 else { return await FakeWorker.succeed(plan) }
                starting.yield()
                await cancellation()
                return .cancelled
            }
            stand.drop("a")
            await daemon.wake()
            for await _ in started { break }
            stand.drop("a", "b")
            #expect(await daemon.rescan(wait: true).version == 1)
        }
    }
}

extension Reconciler {
    /// As if all that wait had done so for longer.
    func age(_ time: Duration) { for index in waiters.waiting.indices { waiters.waiting[index].since -= time } }
}
