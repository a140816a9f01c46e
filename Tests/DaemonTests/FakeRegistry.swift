import Daemon
import Registry
import Synchronization

/// A registry that holds what a test says.
final class FakeRegistry: RegistryLooking {
    private let snapshot: Mutex<RegistrySnapshot>

    init(_ snapshot: RegistrySnapshot) { self.snapshot = Mutex(snapshot) }

    func set(_ new: RegistrySnapshot) { snapshot.withLock { $0 = new } }

    func look(
        onReading: @escaping @Sendable (String, Int64) -> Void
    ) async throws -> (snapshot: RegistrySnapshot, lookAgainAfter: Duration?) {
        (snapshot.withLock { $0 }, nil)
    }
}
