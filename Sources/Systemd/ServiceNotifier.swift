/// The service manager's ear (`sd_notify`); every call is nothing outside systemd.
package struct ServiceNotifier: Sendable {
    package init() {}
    package func ready() {}
    /// One line for `systemctl status`.
    package func status(_ text: String) {}
    /// `RELOADING=1` with `MONOTONIC_USEC`; followed by `ready()`.
    package func reloading() {}
    package func stopping() {}
    package func watchdog() {}
    /// `WATCHDOG_USEC`, nil where no watchdog is set for this process.
    package var watchdogInterval: Duration? { nil }
}
