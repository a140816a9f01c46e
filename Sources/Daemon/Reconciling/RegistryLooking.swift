package import Registry

/// Where the reconciler's snapshots come from; the daemon's is `RegistryScanner`.
package protocol RegistryLooking: Sendable {
    /// One look at the registry, and when to look again because something is still settling. `onReading` is called
    /// before a drop is read: its name and the bytes of its files.
    func look(
        onReading: @escaping @Sendable (String, Int64) -> Void
    ) async throws -> (snapshot: RegistrySnapshot, lookAgainAfter: Duration?)
}

extension RegistryScanner: RegistryLooking {
    package func look(
        onReading: @escaping @Sendable (String, Int64) -> Void
    ) async throws -> (snapshot: RegistrySnapshot, lookAgainAfter: Duration?) {
        let scan = try await scan(onAdmission: onReading)
        return (scan.snapshot, scan.lookAgainAfter)
    }
}
