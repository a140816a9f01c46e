/// Gathers drops that arrive together into one merge: after the last one was accepted it waits a moment for the next,
/// and while another is settling it waits for that, but never longer than one settle interval after the first.
package struct ArrivalWindow: Hashable, Sendable {
    /// Wait after an accepted drop for the next one, where `settle` is not shorter.
    static let pause = Duration.seconds(2)

    private var first: ContinuousClock.Instant?
    private var last: ContinuousClock.Instant?

    package init() {}

    /// A drop was accepted.
    package mutating func note(_ now: ContinuousClock.Instant) {
        first = first ?? now
        last = now
    }

    /// A merge started, or there is nothing to merge.
    package mutating func close() {
        first = nil
        last = nil
    }

    /// When the merge may start; nil: now.
    package func opens(
        _ now: ContinuousClock.Instant, settle: Duration, isSettling: Bool
    ) -> ContinuousClock.Instant? {
        guard let first, let last else { return nil }
        let end = isSettling ? first + settle : min(first + settle, last + min(settle, Self.pause))
        return end > now ? end : nil
    }
}
