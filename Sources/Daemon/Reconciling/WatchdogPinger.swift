import Files
package import Systemd

/// Feeds the service manager's watchdog from evidence of progress: turns of the reconciler's loop, events of a worker,
/// and during a long step (reading drops, publishing) bytes that were read or written. A reconciler that hangs stops
/// the pings.
package struct WatchdogPinger: Sendable {
    /// Time that a step may go without reading or writing: fsync of a large release moves no counter. Counted in looks,
    /// so that a machine that was asleep does not end it.
    static let longestSilence = Duration.seconds(600)
    /// Bytes between two looks that count as progress; below lies our own reading of the counters.
    private static let leastBytes: Int64 = 64 << 10

    /// Time between two readings of the counters: a stop is given 20 seconds.
    private static let longestPause = Duration.seconds(5)

    /// Half of the watchdog's interval; nil without a watchdog.
    let interval: Duration?
    private let clock: any Clock<Duration>
    private let bytesMoved: @Sendable () -> Int64
    private let ping: @Sendable () -> Void
    private let extend: @Sendable (Duration) -> Void

    package init(_ notifier: ServiceNotifier) {
        self.init(
            interval: notifier.watchdogInterval.map { $0 / 2 }, clock: ContinuousClock(), bytesMoved: Self.bytesMoved,
            ping: notifier.watchdog, extend: notifier.extendTimeout)
    }

    /// `ping` and `extend` are what the service manager is told, `bytesMoved` what this process has read and written so
    /// far.
    init(
        interval: Duration?, clock: any Clock<Duration>, bytesMoved: @escaping @Sendable () -> Int64,
        ping: @escaping @Sendable () -> Void, extend: @escaping @Sendable (Duration) -> Void
    ) {
        (self.interval, self.clock, self.bytesMoved) = (interval, clock, bytesMoved)
        (self.ping, self.extend) = (ping, extend)
    }

    /// The loop or a worker has got further.
    func beat() { if interval != nil { ping() } }

    /// Runs one long step. While it gets further, the service manager's patience with a start or a stop grows, too.
    func during<Value: Sendable>(_ step: @Sendable () async throws -> Value) async rethrows -> Value {
        let interval = min(interval ?? Self.longestPause, Self.longestPause)
        let pinger = Task {
            var (bytes, silence) = (bytesMoved(), Duration.zero)
            while true {
                try await clock.sleep(for: interval)
                let now = bytesMoved()
                silence = now - bytes >= Self.leastBytes ? .zero : silence + interval
                bytes = now
                guard silence < Self.longestSilence else { continue }
                beat()
                extend(interval * 4)
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
