package import Registry

/// Where the reconciler's snapshots come from; the daemon's is `RegistryScanner`.
package protocol RegistryLooking: Sendable {
    /// One look at the registry, and when to look again because something is still settling.
    func look() async throws -> (snapshot: RegistrySnapshot, lookAgainAfter: Duration?)
}

extension RegistryScanner: RegistryLooking {
    package func look() async throws -> (snapshot: RegistrySnapshot, lookAgainAfter: Duration?) {
        let scan = try await scan()
        return (scan.snapshot, scan.lookAgainAfter)
    }
}
