import Synchronization

/// Counts calls, from any thread: the points at which a step may be interrupted.
package final class CallCounter: Sendable {
    private let count = Mutex(0)

    package init() {}

    package var value: Int { count.withLock { $0 } }

    /// The count before this call.
    package func next() -> Int {
        count.withLock { count in
            defer { count += 1 }
            return count
        }
    }
}
