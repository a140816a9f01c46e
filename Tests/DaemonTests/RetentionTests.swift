import Files
import Foundation
import Ledger
import Releases
import Testing
import WorkerProtocol

@testable import Daemon

extension Reconciler {
    /// As if this process had known of the successor of a release for so long.
    fileprivate func pretend(_ version: Int, supersededFor time: Duration) {
        retention.supersededSince[version] = ContinuousClock.now - time
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

    @Test(arguments: [
        ("6-months", 184.0, "6-months"), ("10-years", 3653, "10-years"), ("184d", 184, "6-months"),
        ("400d", 400, "400d"),
        ("12h", 0.5, "12h"), ("0", 0, "0s"),
    ])
    func recordsStayForPresetsOrDurations(text: String, days: Double, shown: String) throws {
        let read = try Configuration.parse("retain: {records: \(text)}", file: "t.yaml").retain.records
        #expect(read / day == days && RecordRetention.kind.show(read) == shown)
        #expect(Configuration().retain.records == day * 3653)
    }

    @Test(arguments: ["6 months", "forever", "-1d", "10-weeks"]) func refusesOtherRetentions(text: String) {
        #expect {
            try Configuration.parse("retain: {records: \(text)}", file: "t.yaml")
        } throws: { error in "\(error)".contains("is not a retention; write 6-months, 10-years or a duration") }
    }

    @Test func recordsExpireByBothClocks() {
        var retention = Retention()
        let (start, months) = (ContinuousClock.now, RecordRetention.sixMonths)
        let kept = [3: now.addingTimeInterval(-200 * 86_400), 4: now.addingTimeInterval(-100 * 86_400)]
        #expect(retention.expired(kept, months, start, wall: now) == [], "a clock that jumped ahead")
        #expect(retention.expired(kept, months, start + .seconds(3600), wall: now) == [3])
        #expect(retention.expired(kept, months, start + months, wall: now) == [3, 4])
        #expect(retention.expired([5: now], .zero, start, wall: now) == [5])
    }

    @Test func whatDescribesADeletedReleaseStays() async throws {
        var stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        (stand.configuration.retain.versions, stand.configuration.retain.grace) = (1, .zero)
        let archive = RecordArchive(directory: stand.configuration.records)
        try await stand.live { daemon in
            stand.drop("a")
            _ = await daemon.rescan(wait: true)
            stand.drop("a", "b")
            #expect(await daemon.rescan(wait: true).version == 2)
            stand.drop("a", "b", "c")
            #expect(await daemon.rescan(wait: true).version == 3)
        }
        #expect(try !stand.store.standing().contains(1) && archive.kept().keys.contains(1))
        let folder = stand.configuration.records + "/1"
        let record = try JSON.decode(
            ReleaseRecord.self, from: Data(try Durable.contents(folder + "/release.json")))
        #expect(record.version == 1)
        let bill = try JSONValue(parsing: try Durable.contents(folder + "/bom.cdx.json"), .python)
        #expect(bill.members["bomFormat"] == "CycloneDX")
        #expect(try !Durable.list(folder).contains { $0.hasSuffix(".safetensors") })

        stand.configuration.retain.records = .zero
        try await stand.live { daemon in
            stand.drop("a", "b", "d")
            #expect(await daemon.rescan(wait: true).version == 4)
        }
        #expect(try archive.kept().isEmpty)
        let entries = try Ledger.entries(path: stand.configuration.ledger).filter { $0.event == .retired }
        #expect(entries.contains { $0.version == 1 && $0.details["record"] == .bool(true) })
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
