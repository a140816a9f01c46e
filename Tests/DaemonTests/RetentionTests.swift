import Files
import Foundation
import Ledger
import Releases
import Testing

@testable import Daemon

extension Reconciler {
    /// As if this process had known of the successor of a release for so long.
    fileprivate func pretend(_ version: Int, supersededFor time: Duration) {
        supersededSince[version] = ContinuousClock.now - time
    }
}

/// When old releases go, by which clock.
@Suite(.timeLimit(.minutes(20)))
struct RetentionTests {
    private let day = Duration.seconds(86_400)
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    private func isOver(_ grace: Duration, seen: Duration, enteredAgo ago: Double?) -> Bool {
        RetentionGrace(grace).isOver(seenFor: seen, entered: ago.map { now.addingTimeInterval(-$0) }, now: now)
    }

    @Test func theOwnClockAloneEndsAGrace() {
        #expect(isOver(day, seen: day, enteredAgo: nil))
        #expect(!isOver(day, seen: day - .seconds(1), enteredAgo: nil))
        #expect(isOver(.zero, seen: .zero, enteredAgo: nil))
    }

    @Test func theLedgersTimeEndsItAfterAnHour() {
        #expect(isOver(day, seen: .seconds(3600), enteredAgo: 86_400))
        #expect(!isOver(day, seen: .seconds(3600), enteredAgo: 86_399))
        #expect(!isOver(day, seen: .seconds(3599), enteredAgo: 1e9), "a clock that jumped")
        #expect(!isOver(day, seen: .seconds(3600), enteredAgo: -1e9), "a clock that was ahead once")
        #expect(!isOver(.seconds(60), seen: .seconds(59), enteredAgo: 1e9), "nor sooner than a short grace")
    }

    @Test func theTimesOfEntriesAreRead() {
        #expect(RetentionGrace.date("2027-01-15T08:00:00.000Z") == now)
        #expect(RetentionGrace.date("yesterday") == nil)
    }

    /// Each day's process lives for less than the grace; the ledger remembers longer.
    @Test(arguments: [true, false]) func aServiceThatIsRestartedEveryDayDeletesWhatIsOld(isEntryOld: Bool) async throws
    {
        var stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.configuration.retain.versions = 1
        let then = Date(timeIntervalSinceNow: -2 * 86_400)
        if isEntryOld { stand.ledgerTime = Int64(then.timeIntervalSince1970 * 1000) }
        try await stand.live { daemon in
            stand.drop("a")
            _ = await daemon.rescan(wait: true)
            stand.drop("a", "b")
            #expect(await daemon.rescan(wait: true).version == 2)
        }
        try date(2, then, in: stand)
        stand.ledgerTime = nil
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            await daemon.pretend(1, supersededFor: .seconds(3000))
            await daemon.retire()
            let within = try stand.store.standing().sorted()
            #expect(within == [1, 2], "within the hour of a new process")
            await daemon.pretend(1, supersededFor: .seconds(3600))
            await daemon.retire()
            let after = try stand.store.standing().sorted()
            #expect(after == (isEntryOld ? [2] : [1, 2]), "by the ledger")
        }
    }

    /// Makes a release's record say that it was made then.
    private func date(_ version: Int, _ time: Date, in stand: DaemonStand) throws {
        let folder = stand.configuration.deploy + "/versions/\(version)"
        try Durable.changeMode(folder, to: 0o750)
        let record = String(decoding: try Durable.contents(folder + "/release.json"), as: UTF8.self)
        let created = try stand.store.release(version).record.created
        try Durable.replace(
            folder + "/release.json", with: Array(record.replacing(created, with: time.formatted(.iso8601)).utf8))
    }
}
