import Foundation
import Systemd
import Testing

/// One suite, one after another: they change the environment of the process.
@Suite(.serialized) struct ServiceNotifierTests {
    @Test func outsideSystemdNothingHappens() {
        unsetenv("NOTIFY_SOCKET")
        unsetenv("WATCHDOG_USEC")
        let notifier = ServiceNotifier()
        notifier.ready()
        notifier.watchdog()
        #expect(notifier.watchdogInterval == nil)
    }

    @Test func statesReachTheServiceManager() throws {
        let socket = try NotificationSocket()
        setenv("NOTIFY_SOCKET", socket.path, 1)
        defer { unsetenv("NOTIFY_SOCKET") }
        let notifier = ServiceNotifier()
        notifier.ready()
        notifier.status("merging 3 tasks,\nREADY=0 step 5")
        notifier.watchdog()
        notifier.reloading()
        notifier.extendTimeout(by: .milliseconds(2500))
        notifier.stopping()
        let received = socket.received()
        #expect(received[..<3] == ["READY=1", "STATUS=merging 3 tasks, READY=0 step 5", "WATCHDOG=1"])
        #expect(received[3].wholeMatch(of: /RELOADING=1\nMONOTONIC_USEC=[0-9]+/) != nil)
        #expect(received[4...] == ["EXTEND_TIMEOUT_USEC=2500000", "STOPPING=1"])
    }

    @Test func watchdogIntervalOfThisProcess() {
        setenv("WATCHDOG_USEC", "3000000", 1)
        defer {
            unsetenv("WATCHDOG_USEC")
            unsetenv("WATCHDOG_PID")
        }
        #expect(ServiceNotifier().watchdogInterval == .seconds(3))
        setenv("WATCHDOG_PID", "1", 1)
        #expect(ServiceNotifier().watchdogInterval == nil)
        setenv("WATCHDOG_PID", "\(getpid())", 1)
        #expect(ServiceNotifier().watchdogInterval == .seconds(3))
    }

    @Test func journalStreamIsStandardErrorItself() {
        var status = stat()
        fstat(STDERR_FILENO, &status)
        setenv("JOURNAL_STREAM", "\(status.st_dev):\(status.st_ino)", 1)
        #expect(Journal.isConnected)
        setenv("JOURNAL_STREAM", "1:2", 1)
        #expect(!Journal.isConnected)
        unsetenv("JOURNAL_STREAM")
        #expect(!Journal.isConnected)
    }

    @Test func journalWithoutJournaldDropsMessages() {
        Journal().send(
            message: "hello\nworld", priority: 99, messageID: String(repeating: "a", count: 32),
            fields: [("SUPERMERGE_TASK", "a\nb"), ("bad name", "x"), ("", "y")] + (0..<500).map { ("F\($0)", "v") })
    }
}
