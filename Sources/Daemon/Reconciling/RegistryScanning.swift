package import Registry

/// Where the reconciler's snapshots come from; the daemon's is `RegistryScanner`.
package protocol RegistryScanning: Sendable {
    /// One scan of the registry. `expecting`: names of the deployed tasks. `onReading` is called before an upload is
    /// read: its name and the bytes of its files.
    func look(
        expecting: Set<String>, onReading: @escaping @Sendable (String, Int64) -> Void
    ) async throws -> RegistryScanner.Scan

    /// Ends what goes on beside the scans.
    func stop() async
}

extension RegistryScanner: RegistryScanning {
    package func look(
        expecting: Set<String>, onReading: @escaping @Sendable (String, Int64) -> Void
    ) async throws -> Scan {
        try await scan(expecting: expecting, onAdmission: onReading)
    }
}
