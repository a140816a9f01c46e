import Synchronization

/// Counts the connections that are held, and wakes the task that waits for one of them to end.
final class OpenConnections: Sendable {
    private let state = Mutex((held: 0, all: 0))
    private let ended = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    var count: Int { state.withLock { $0.held } }
    /// Those that have ended, too.
    var total: Int { state.withLock { $0.all } }

    /// The count with the new one.
    func add() -> Int {
        state.withLock { state in
            state.held += 1
            state.all += 1
            return state.held
        }
    }

    func remove() {
        state.withLock { $0.held -= 1 }
        ended.continuation.yield()
    }

    /// Returns when fewer than `most` are held, or when the task is cancelled. For one waiter.
    func waitForPlace(atMost most: Int) async {
        var events = ended.stream.makeAsyncIterator()
        while count >= most {
            if await events.next() == nil { return }
        }
    }
}
