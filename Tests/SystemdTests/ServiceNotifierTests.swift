import Glibc
import Synchronization
import Systemd
import Testing

/// Nothing here changes the environment, which other threads read; ServiceManagerTests has the real calls, in a daemon.
@Suite struct ServiceNotifierTests {
    @Test func statesAreToldInTheManagersWords() throws {
        let told = Mutex<[String]>([])
        let notifier = ServiceNotifier { state in told.withLock { $0.append(state) } }
        notifier.ready()
        notifier.status("merging 3 tasks,\nREADY=0 step 5")
        notifier.watchdog()
        notifier.reloading()
        notifier.extendTimeout(by: .milliseconds(2500))
        notifier.stopping()
        let received = told.withLock { $0 }
        try #require(received.count == 6, "\(received)")
        #expect(received[..<3] == ["READY=1", "STATUS=merging 3 tasks, READY=0 step 5", "WATCHDOG=1"])
        #expect(received[3].wholeMatch(of: /RELOADING=1\nMONOTONIC_USEC=[0-9]+/) != nil)
        #expect(received[4...] == ["EXTEND_TIMEOUT_USEC=2500000", "STOPPING=1"])
    }

    @Test func watchdogIntervalIsInMicroseconds() {
        #expect(ServiceNotifier.interval(microseconds: 0) == nil)
        #expect(ServiceNotifier.interval(microseconds: 3_000_000) == .seconds(3))
        #expect(ServiceNotifier.interval(microseconds: .max) == .microseconds(Int64.max))
        let silent = ServiceNotifier { _ in }
        #expect(silent.watchdogInterval == nil)
    }

    @Test func journalStreamIsStandardErrorItself() {
        var status = stat()
        fstat(STDERR_FILENO, &status)
        #expect(Journal.isStandardError("\(status.st_dev):\(status.st_ino)"))
        #expect(!Journal.isStandardError("1:2"))
        #expect(!Journal.isStandardError(nil))
    }

    @Test func journalWithoutJournaldDropsMessages() {
        Journal().send(
            message: "hello\nworld", priority: 99, messageID: String(repeating: "a", count: 32),
            fields: [("SUPERMERGE_TASK", "a\nb"), ("bad name", "x"), ("", "y")] + (0..<500).map { ("F\($0)", "v") })
    }
}
