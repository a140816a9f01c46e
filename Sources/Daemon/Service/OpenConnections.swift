import Synchronization

/// Counts the connections that are held, and wakes whoever waits for one of them to end.
final class OpenConnections: Sendable {
    private let count = Mutex(0)
    private let ended = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// The count with the new one.
    func add() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }

    func remove() {
        count.withLock { $0 -= 1 }
        ended.continuation.yield()
    }

    /// Returns when fewer than `most` are held, or when the task is cancelled. For one waiter.
    func waitForPlace(atMost most: Int) async {
        var events = ended.stream.makeAsyncIterator()
        while count.withLock({ $0 }) >= most {
            if await events.next() == nil { return }
        }
    }
}
