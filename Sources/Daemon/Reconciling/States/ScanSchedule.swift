/// When the registry is scanned: where somebody asks for it, again where a scan left uploads that still arrive, and
/// regularly. One scan runs at a time.
struct ScanSchedule: Hashable, Sendable {
    typealias Instant = ContinuousClock.Instant

    /// How a scan ended.
    enum Outcome {
        /// `again`: when to look once more at what was still arriving.
        case finished(again: Duration?, hasUnread: Bool)
        case failed(String)
        case cancelled
    }

    /// How long a merge waits, at its start and at its end, for a scan that is running.
    static let patience = Duration.seconds(1)
    /// Time between two scans that only events ask for: an upload that is copied in makes thousands of them.
    static let pause = Duration.milliseconds(200)

    /// Number of the newest request, and of the newest that a scan which has ended answers.
    private(set) var requested = 1
    private(set) var completed = 0
    /// When the running scan began; nil: none is running.
    private(set) var runningSince: Instant?
    /// Why the last scan failed.
    private(set) var failure: String?
    /// Whether the last scan left uploads unread.
    private(set) var hasUnread = false
    private var answered = 0
    private var ended: Instant?
    /// Whether an operator waits for the scan, and not only an event asks for it.
    private var isUrgent = true
    private var againAt: Instant?
    private var regularlyAt: Instant
    private var cleanUpAt: Instant

    init(_ now: Instant = .now) { (regularlyAt, cleanUpAt) = (now, now) }

    var isRunning: Bool { runningSince != nil }

    /// Whether uploads are still arriving, which a scan follows soon.
    var isSettling: Bool { againAt != nil }

    /// Asks for a scan and gives the request's number. One that is running does not answer it.
    @discardableResult
    mutating func request(urgently: Bool = false) -> Int {
        requested += 1
        if urgently { isUrgent = true }
        return requested
    }

    /// When the next scan is due.
    func due(_ now: Instant) -> Instant {
        guard completed < requested else { return min(regularlyAt, againAt ?? regularlyAt) }
        return isUrgent ? now : ended.map { $0 + Self.pause } ?? now
    }

    /// Whether a scan is due or running, and not for long: then its result is worth waiting for.
    func isAwaited(_ now: Instant) -> Bool { runningSince.map { now < $0 + Self.patience } ?? (due(now) <= now) }

    /// Gives whether a scan is to be started now.
    mutating func begin(_ now: Instant) -> Bool {
        guard runningSince == nil, due(now) <= now else { return false }
        isUrgent = false
        answered = requested
        runningSince = now
        return true
    }

    /// Takes how the running scan ended; `interval`: time until the next regular one. Gives whether it failed in a way
    /// that the one before did not.
    @discardableResult
    mutating func end(_ outcome: Outcome, _ now: Instant, interval: Duration) -> Bool {
        (runningSince, ended) = (nil, now)
        let former = failure
        switch outcome {
        case .cancelled: return false
        case .finished(let again, let hasUnread):
            failure = nil
            againAt = again.map { now + $0 }
            self.hasUnread = hasUnread
        case .failed(let message):
            failure = message
            againAt = nil
            hasUnread = false
        }
        completed = max(completed, answered)
        regularlyAt = now + interval
        return failure != nil && failure != former
    }

    /// Whether old releases and archived files are to be cleaned up after this scan; next after `interval`.
    mutating func takesCleanUp(_ now: Instant, interval: Duration) -> Bool {
        guard cleanUpAt <= now else { return false }
        cleanUpAt = now + interval
        return true
    }
}
