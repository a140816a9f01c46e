/// The last merge's failure, and how long the same merge waits before it is tried again.
struct MergeRetries: Hashable, Sendable {
    typealias Instant = ContinuousClock.Instant

    /// Why the last merge failed, until one succeeds or the registry changes.
    private(set) var failure: String?
    /// When the merge that is held back is due; nil: none is.
    private(set) var dueAt: Instant?
    private var backOff: (merge: String, until: Instant)? {
        get { name.flatMap { name in until.map { (name, $0) } } }
        set { (name, until) = (newValue?.merge, newValue?.until) }
    }
    private var name: String?
    private var until: Instant?

    /// Whether a failed merge waits, be it over.
    var isBackingOff: Bool { name != nil }

    mutating func fail(_ message: String) { failure = message }

    /// `delay`: how long a merge of these inputs waits; nil: it is not tried again.
    mutating func wait(_ merge: String, for delay: Duration?, _ now: Instant) {
        backOff = delay.map { (merge, now + $0) }
    }

    /// The registry changed, or an operator wants no failure to count: `isForgotten` ends the waiting, too.
    mutating func clear(waiting isForgotten: Bool) {
        failure = nil
        if isForgotten { backOff = nil }
    }

    /// A new decision is made.
    mutating func beginDecision() { dueAt = nil }

    /// Whether this merge has to wait; then `dueAt` says until when.
    mutating func holds(_ merge: String, _ now: Instant) -> Bool {
        guard let backOff, backOff.merge == merge, backOff.until > now else { return false }
        dueAt = backOff.until
        return true
    }
}
