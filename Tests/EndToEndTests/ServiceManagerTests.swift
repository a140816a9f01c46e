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
        #expect(try daemon.notifications.everything().contains("STOPPING=1"))
    }

    /// Each in a datagram of its own, and nothing beside them: the manager takes a datagram whole.
    @Test func whatIsSaidIsInTheManagersWords() throws {
        let site = try Site.quick()
        let daemon = try DaemonProcess(site, under: Self.wrapper("export WATCHDOG_USEC=86400000000; "))
        try daemon.waitUntilReady()
        try daemon.notifications.wait(for: "WATCHDOG=1")
        daemon.process.signal(SIGHUP)
        try daemon.notifications.wait(for: "RELOADING=1")
        #expect(try daemon.stop() == 0, "\(daemon.errors)")
        let said = try daemon.notifications.everything()
        let words =
            /READY=1|RELOADING=1\nMONOTONIC_USEC=[0-9]+|WATCHDOG=1|STOPPING=1|STATUS=[^\n]+|EXTEND_TIMEOUT_USEC=[1-9][0-9]*/
        let others = said.filter { $0.wholeMatch(of: words) == nil }
        #expect(others.isEmpty)
        #expect(Set(["READY=1", "WATCHDOG=1", "STOPPING=1"]).isSubset(of: said))
    }

    /// Half of two seconds: by an interval of another unit it would be fed once a loop, which nothing wakes for an
    /// hour.
    @Test func theWatchdogIsFedByItsInterval() throws {
        let site = try Site.quick()
        let daemon = try DaemonProcess(site, under: Self.wrapper("export WATCHDOG_USEC=2000000; "))
        try daemon.waitUntilReady()
        for _ in 0..<6 { try daemon.notifications.wait(for: "WATCHDOG=1") }
        #expect(try daemon.stop() == 0, "\(daemon.errors)")
    }

    @Test(arguments: [
        ("export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2); ", true), ("export JOURNAL_STREAM=1:2; ", false),
        ("export JOURNAL_STREAM=; ", false), ("", false),
    ])
    func standardErrorIsSilentWhereItIsTheJournal(settings: String, isJournal: Bool) throws {
        let site = try Site.quick()
        let daemon = try DaemonProcess(site, under: Self.wrapper(settings))
        try daemon.waitUntilReady()
        #expect(try daemon.stop() == 0, "\(daemon.errors)")
        #expect(daemon.errors.isEmpty == isJournal, "\(daemon.errors)")
    }

    @Test(arguments: [
        ("", false), ("export WATCHDOG_USEC=0; ", false), ("export WATCHDOG_USEC=soon; ", false),
        ("export WATCHDOG_USEC=86400000000 WATCHDOG_PID=me; ", false),
        ("export WATCHDOG_USEC=86400000000; ", true),
        ("export WATCHDOG_USEC=86400000000 WATCHDOG_PID=1; ", false),
        ("export WATCHDOG_USEC=86400000000 WATCHDOG_PID=$$; ", true),
    ])
    func theWatchdogIsFedWhereItIsMeantForTheDaemon(settings: String, isFed: Bool) throws {
        let site = try Site.quick()
        let daemon = try DaemonProcess(site, under: Self.wrapper(settings))
        try daemon.waitUntilReady()
        if isFed { try daemon.notifications.wait(for: "WATCHDOG=1") }
        #expect(try daemon.stop() == 0, "\(daemon.errors)")
        #expect(try daemon.notifications.everything().contains("WATCHDOG=1") == isFed)
    }

    @Test(arguments: ["unset NOTIFY_SOCKET", "export NOTIFY_SOCKET=/nowhere/notify", "export NOTIFY_SOCKET=nonsense"])
    func whereNobodyListensNothingIsSaid(settings: String) throws {
        let site = try Site.quick()
        try Durable.createDirectories(site.state)
        let watch = try site.ledgerWatch()
        let daemon = try DaemonProcess(site, under: Self.wrapper(settings + "; "))
        try watch.wait(for: "the start") { (try? site.ledger(.configurationLoaded))?.isEmpty == false }
        #expect(try daemon.stop() == 0, "\(daemon.errors)")
        #expect(try daemon.notifications.everything() == [])
        #expect(try site.ledger().last?.event == .stopped)
    }
}
