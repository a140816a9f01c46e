import Daemon
import Registry
import Synchronization

/// A registry that holds what a test says.
final class FakeRegistry: RegistryScanning {
    private let snapshot: Mutex<RegistrySnapshot>
    private let count = Mutex(0)
    private let doors = Mutex<[AsyncStream<Void>]>([])

    init(_ snapshot: RegistrySnapshot) { self.snapshot = Mutex(snapshot) }

    /// Looks so far.
    var looks: Int { count.withLock { $0 } }

    func set(_ new: RegistrySnapshot) { snapshot.withLock { $0 = new } }

    /// Looks that begin from now on don't end before the stream that the continuation belongs to does.
    func block() -> AsyncStream<Void>.Continuation {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        doors.withLock { $0.append(stream) }
        return continuation
    }

    func look(
        expecting: Set<String>, onReading: @escaping @Sendable (String, Int64) -> Void
    ) async throws -> RegistryScanner.Scan {
        count.withLock { $0 += 1 }
        for door in doors.withLock({ $0 }) { for await _ in door {} }
        try Task.checkCancellation()
        return RegistryScanner.Scan(snapshot: snapshot.withLock { $0 })
    }

    func stop() {}
}
