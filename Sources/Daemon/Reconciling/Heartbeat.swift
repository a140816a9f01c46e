import Files
package import Systemd

/// Feeds the service manager's watchdog from evidence of progress: turns of the reconciler's loop, events of a worker,
/// and during a long step (reading drops, publishing) bytes that were read or written. A reconciler that hangs stops
/// the pings.
package struct Heartbeat: Sendable {
    /// Time that a step may go without reading or writing: fsync of a large release moves no counter.
    static let longestSilence = Duration.seconds(600)
    /// Bytes between two looks that count as progress; below lies our own reading of the counters.
    private static let leastBytes: Int64 = 64 << 10

    /// Time between two looks at the counters: a stop is given 20 seconds.
    private static let longestPause = Duration.seconds(5)

    private let notifier: ServiceNotifier
    /// Half of the watchdog's interval; nil without a watchdog.
    let interval: Duration?

    package init(_ notifier: ServiceNotifier) {
        self.notifier = notifier
        interval = notifier.watchdogInterval.map { $0 / 2 }
    }

    /// The loop or a worker has got further.
    func beat() { if interval != nil { notifier.watchdog() } }

    /// Runs one long step. While it gets further, the service manager's patience with a start or a stop grows, too.
    func during<Value: Sendable>(_ step: @Sendable () async throws -> Value) async rethrows -> Value {
        let interval = min(interval ?? Self.longestPause, Self.longestPause)
        let pinger = Task {
            var (bytes, moved) = (Self.bytesMoved(), ContinuousClock.now)
            while true {
                try await Task.sleep(for: interval)
                let now = Self.bytesMoved()
                if now - bytes >= Self.leastBytes { moved = .now }
                bytes = now
                guard ContinuousClock.now - moved < Self.longestSilence else { continue }
                beat()
                notifier.extendTimeout(by: interval * 4)
            }
        }
        defer { pinger.cancel() }
        return try await step()
    }

    /// Bytes that this process has read and written.
    private static func bytesMoved() -> Int64 {
        guard let text = try? Durable.contents("/proc/self/io", limit: 4096) else { return 0 }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").prefix(2).reduce(0) { sum, line in
            sum + (line.split(separator: " ").last.flatMap { Int64($0) } ?? 0)
        }
    }
}
