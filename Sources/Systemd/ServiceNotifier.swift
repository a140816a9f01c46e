import CSystemd
import Glibc

/// The service manager's ear (`sd_notify`); every call is nothing outside systemd, and a failed one is not an error.
package struct ServiceNotifier: Sendable {
    package init() {}

    /// Start-up, or a reload, is done.
    package func ready() { notify("READY=1") }

    /// One line for `systemctl status`; line breaks become spaces.
    package func status(_ text: String) {
        notify("STATUS=" + String(text.map { $0.isNewline ? " " : $0 }))
    }

    /// `RELOADING=1` with `MONOTONIC_USEC`; followed by `ready()`.
    package func reloading() {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        notify("RELOADING=1\nMONOTONIC_USEC=\(UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000)")
    }

    package func stopping() { notify("STOPPING=1") }

    /// Feeds the watchdog. To be called from evidence of progress, not from a free timer.
    package func watchdog() { notify("WATCHDOG=1") }

    /// Asks for `interval` more before start-up, reload or stop counts as hung; to be called again before it is over.
    package func extendTimeout(by interval: Duration) {
        let (seconds, attoseconds) = interval.components
        notify("EXTEND_TIMEOUT_USEC=\(max(0, seconds) * 1_000_000 + attoseconds / 1_000_000_000_000)")
    }

    /// `WATCHDOG_USEC`, nil where no watchdog is set for this process.
    package var watchdogInterval: Duration? {
        let microseconds = csystemd_watchdog_interval()
        return microseconds == 0 ? nil : .microseconds(Int64(clamping: microseconds))
    }

    private func notify(_ state: String) {
        _ = unsafe csystemd_notify(state)
    }
}
