/// Looks at the registry directory and says what may be merged. Reads every file once per content: hash, header, shapes and
/// the search for NaN and Inf in the same pass; what was read is remembered by file identity in `cache`, across restarts.
package actor RegistryScanner {
    /// How a scan ended: the snapshot, and when to look again because something is still settling.
    package struct Scan: Sendable {
        package var snapshot: RegistrySnapshot
        package var lookAgainAfter: Duration?
    }

    /// `requiresValidation`: whether the configured method learns and so refuses tasks without a validation set and bases
    /// without a graph. `now` is the clock that settling is judged by.
    package init(
        registry: String, cache: String, settle: Duration, requiresValidation: Bool,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) { fatalError() }

    /// One look. `onAdmission` is called before a long read starts (name of the drop, bytes).
    package func scan() async throws -> Scan { fatalError() }
}
