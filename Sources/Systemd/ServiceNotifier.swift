import CSystemd
import Glibc

/// Reports service state with `sd_notify`. A no-op outside systemd; failures are ignored.
package struct ServiceNotifier: Sendable {
    /// The watchdog interval (`WATCHDOG_USEC`); nil if this process has no watchdog.
    package let watchdogInterval: Duration?
    private let send: @Sendable (String) -> Void

    /// The service manager named by the environment.
    package init() {
        self.init(watchdogInterval: Self.interval(microseconds: csystemd_watchdog_interval())) { state in
            _ = unsafe csystemd_notify(state)
        }
    }

    /// `send` receives each state in the format of `sd_notify`.
    package init(watchdogInterval: Duration? = nil, send: @escaping @Sendable (String) -> Void) {
        (self.watchdogInterval, self.send) = (watchdogInterval, send)
    }

    /// Reports that start-up or a reload is complete.
    package func ready() { send("READY=1") }

    /// One line for `systemctl status`; line breaks become spaces.
    package func status(_ text: String) {
        send("STATUS=" + String(text.map { $0.isNewline ? " " : $0 }))
    }

    /// `RELOADING=1` with `MONOTONIC_USEC`; followed by `ready()`.
    package func reloading() {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        send("RELOADING=1\nMONOTONIC_USEC=\(UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000)")
    }

    package func stopping() { send("STOPPING=1") }

    /// Pings the watchdog. Call it on evidence of progress, not from a timer.
    package func watchdog() { send("WATCHDOG=1") }

    /// Extends the start, reload or stop timeout by `interval`. Call it again before that has passed.
    package func extendTimeout(by interval: Duration) {
        let (seconds, attoseconds) = interval.components
        send("EXTEND_TIMEOUT_USEC=\(max(0, seconds) * 1_000_000 + attoseconds / 1_000_000_000_000)")
    }

    /// The watchdog interval; 0 means none.
    package static func interval(microseconds: UInt64) -> Duration? {
        microseconds == 0 ? nil : .microseconds(Int64(clamping: microseconds))
    }
}
