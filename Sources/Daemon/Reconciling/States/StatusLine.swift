import WorkerProtocol

/// The line that the service manager shows.
struct StatusLine: Hashable, Sendable {
    private var text = ""
    private var phase: WorkerEvent.Progress.Phase?
    private var shownAt: ContinuousClock.Instant?

    /// Whether the line is another one than the last.
    mutating func changes(to text: String) -> Bool {
        defer { self.text = text }
        return self.text != text
    }

    /// Something else was shown meanwhile.
    mutating func forget() { text = "" }

    /// Whether a merge's progress is shown now: once a second, and when its phase changes.
    mutating func shows(_ phase: WorkerEvent.Progress.Phase, _ now: ContinuousClock.Instant) -> Bool {
        if let shownAt, self.phase == phase, now < shownAt + .seconds(1) { return false }
        (self.phase, shownAt) = (phase, now)
        return true
    }
}
