import Files
import Glibc
import Ledger
import Testing

/// What a daemon tells the service manager that its environment names, over a real socket.
@Suite struct ServiceManagerTests {
    /// Runs the daemon with these variables.
    private static func wrapper(_ script: String) -> [String] { ["/bin/sh", "-c", script + #"exec "$0" "$@""#] }

    @Test func statesReachTheServiceManager() throws {
        let site = try Site.quick()
        let daemon = try site.start()
        try daemon.notifications.wait(for: "STATUS=")
        daemon.process.signal(SIGHUP)
        let reloading = try daemon.notifications.wait(for: "RELOADING=1")
        #expect(reloading.wholeMatch(of: /RELOADING=1\nMONOTONIC_USEC=[0-9]+/) != nil, "\(reloading)")
        #expect(try daemon.notifications.wait(for: "READY=1") == "READY=1")
        #expect(try daemon.stop() == 0, "\(daemon.errors)")
        #expect(try daemon.notifications.rest().contains("STOPPING=1"))
    }

    @Test(arguments: [
        ("", false), ("export WATCHDOG_USEC=86400000000; ", true),
        ("export WATCHDOG_USEC=86400000000 WATCHDOG_PID=1; ", false),
        ("export WATCHDOG_USEC=86400000000 WATCHDOG_PID=$$; ", true),
    ])
    func theWatchdogIsFedWhereItIsMeantForTheDaemon(settings: String, isFed: Bool) throws {
        let site = try Site.quick()
        let daemon = try DaemonProcess(site, under: Self.wrapper(settings))
        try daemon.waitUntilReady()
        #expect(try daemon.stop() == 0, "\(daemon.errors)")
        #expect(try daemon.notifications.rest().contains("WATCHDOG=1") == isFed)
    }

    @Test func outsideSystemdNothingIsSaid() throws {
        let site = try Site.quick()
        try Durable.createDirectories(site.state)
        let watch = try site.ledgerWatch()
        let daemon = try DaemonProcess(site, under: Self.wrapper("unset NOTIFY_SOCKET WATCHDOG_USEC; "))
        try watch.wait(for: "the start") { (try? site.ledger(.configurationLoaded))?.isEmpty == false }
        #expect(try daemon.stop() == 0, "\(daemon.errors)")
        #expect(try daemon.notifications.rest() == [])
        #expect(try site.ledger().last?.event == .stopped)
    }
}
