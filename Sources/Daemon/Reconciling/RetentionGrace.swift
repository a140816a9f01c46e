import Foundation

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
