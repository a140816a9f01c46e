import CSystemd
import Glibc

/// The service manager's ear (`sd_notify`); every call is nothing outside systemd, and a failed one is not an error.
package struct ServiceNotifier: Sendable {
    /// `WATCHDOG_USEC`, nil where no watchdog is set for this process.
    package let watchdogInterval: Duration?
    private let send: @Sendable (String) -> Void

    /// The manager that this process's environment names.
    package init() {
        self.init(watchdogInterval: Self.interval(microseconds: csystemd_watchdog_interval())) { state in
            _ = unsafe csystemd_notify(state)
        }
    }

    /// `send` is given each state in the words of `sd_notify`.
    package init(watchdogInterval: Duration? = nil, send: @escaping @Sendable (String) -> Void) {
        (self.watchdogInterval, self.send) = (watchdogInterval, send)
    }

    /// Start-up, or a reload, is done.
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

    /// Feeds the watchdog. To be called from evidence of progress, not from a free timer.
    package func watchdog() { send("WATCHDOG=1") }

    /// Asks for `interval` more before start-up, reload or stop counts as hung; to be called again before it is over.
    package func extendTimeout(by interval: Duration) {
        let (seconds, attoseconds) = interval.components
        send("EXTEND_TIMEOUT_USEC=\(max(0, seconds) * 1_000_000 + attoseconds / 1_000_000_000_000)")
    }

    /// The watchdog's interval; 0 is none.
    package static func interval(microseconds: UInt64) -> Duration? {
        microseconds == 0 ? nil : .microseconds(Int64(clamping: microseconds))
    }
}
