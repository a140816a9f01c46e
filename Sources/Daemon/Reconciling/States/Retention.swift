import Foundation

/// Which old releases this process may delete.
struct Retention: Hashable, Sendable {
    /// Releases whose deletion this process has entered into the ledger.
    private var entered: Set<Int> = []
    /// Release → when this process first saw that there is a newer one.
    var supersededSince: [Int: ContinuousClock.Instant] = [:]

    /// Record of a deleted release → when this process first saw it.
    private var recordsSince: [Int: ContinuousClock.Instant] = [:]

    /// Records to delete, of those that are there, each with when it was put there. A wall clock that jumps ahead
    /// deletes none at once, as with releases.
    mutating func expired(
        _ kept: [Int: Date], _ time: Duration, _ now: ContinuousClock.Instant, wall: Date = Date()
    ) -> [Int] {
        recordsSince = recordsSince.filter { kept[$0.key] != nil }
        return kept.keys.sorted().filter { version in
            let since = recordsSince[version] ?? now
            recordsSince[version] = since
            return RetentionGrace(time).isOver(seenFor: now - since, entered: kept[version], now: wall)
        }
    }

    /// Takes the numbers of the releases that are there; from when on this process counts, see `RetentionGrace`.
    mutating func note(standing: [Int], _ now: ContinuousClock.Instant) {
        let superseded = Set(standing.sorted().dropLast())
        supersededSince = supersededSince.filter { superseded.contains($0.key) }
        for version in superseded where supersededSince[version] == nil { supersededSince[version] = now }
    }

    /// `enteredAt`: when the entry of its successor was written, where that is known.
    func isGraceOver(
        for version: Int, _ grace: Duration, enteredAt: Date?, _ now: ContinuousClock.Instant, wall: Date = Date()
    ) -> Bool {
        guard let since = supersededSince[version] else { return false }
        return RetentionGrace(grace).isOver(seenFor: now - since, entered: enteredAt, now: wall)
    }

    /// Whether the deletion is still to be entered, which it is then.
    mutating func enters(_ version: Int) -> Bool { entered.insert(version).inserted }
}

/// How long a superseded release stays.
///
/// A wall clock that jumps ahead must not end a grace, so that this process counts it, too, from when it first saw the
/// successor. Where that alone counted, a service that is restarted every day would never delete anything: what the
/// ledger wrote down before this process began is therefore believed, once the process has run for as long as it takes
/// to notice a wrong clock.
struct RetentionGrace {
    /// What this process has to have seen in any case.
    static let shortest = Duration.seconds(3600)

    var grace: Duration

    init(_ grace: Duration) { self.grace = grace }

    /// `seenFor`: how long this process has known of the successor, by its own clock. `entered`: when the successor's
    /// entry was written, before this process; nil where there is none.
    func isOver(seenFor seen: Duration, entered: Date?, now: Date) -> Bool {
        if seen >= grace { return true }
        guard let entered, seen >= min(grace, Self.shortest) else { return false }
        return entered <= now.addingTimeInterval(-(grace / .seconds(1)))
    }

    /// The time of an entry.
    static func date(_ time: String) -> Date? {
        try? Date(time, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
