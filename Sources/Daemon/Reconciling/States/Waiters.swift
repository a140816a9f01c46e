/// Those who wait until everything that the registry holds is merged or refused.
struct Waiters<Reply: Sendable>: Sendable {
    typealias Instant = ContinuousClock.Instant

    struct Waiter: Sendable {
        let request: Int
        var since: Instant
        let reply: Reply
    }

    var waiting: [Waiter] = []

    var isEmpty: Bool { waiting.isEmpty }

    /// `request`: the scan that has to have ended.
    mutating func add(_ reply: Reply, request: Int, _ now: Instant) {
        waiting.append(Waiter(request: request, since: now, reply: reply))
    }

    /// When the first of them no longer waits for what is still arriving; nil: none does.
    func deadline(patience: Duration, _ now: Instant) -> Instant? {
        waiting.map { $0.since + patience }.filter { $0 > now }.min()
    }

    /// Takes out who is answered now. `patience`: how long they wait for what is still arriving.
    mutating func take(after scans: ScanSchedule, isGathering: Bool, patience: Duration, _ now: Instant) -> [Reply] {
        guard !isGathering, !scans.hasUnread else { return [] }
        let isDue = { (waiter: Waiter) in
            waiter.request <= scans.completed && (!scans.isSettling || now - waiter.since >= patience)
        }
        defer { waiting.removeAll(where: isDue) }
        return waiting.filter(isDue).map(\.reply)
    }

    mutating func takeAll() -> [Reply] {
        defer { waiting = [] }
        return waiting.map(\.reply)
    }
}
