import Testing

@testable import Daemon

struct ScanScheduleTests {
    private let start = ContinuousClock.now
    private let interval = Duration.seconds(300)

    private func idle() -> ScanSchedule {
        var scans = ScanSchedule(start)
        #expect(scans.begin(start) == true)
        scans.end(.finished(again: nil, hasUnread: false), start, interval: interval)
        return scans
    }

    @Test func scansAtTheStartAndThenRegularly() {
        let scans = idle()
        #expect(scans.completed == 1 && !scans.isRunning && !scans.isAwaited(start))
        #expect(scans.due(start) == start + interval)
    }

    @Test func scansOneAtATime() {
        var scans = idle()
        scans.request(urgently: true)
        #expect(scans.begin(start) == true)
        #expect(scans.begin(start) == false)
        scans.request(urgently: true)
        scans.end(.finished(again: nil, hasUnread: false), start, interval: interval)
        #expect(scans.completed == 2, "the request that came meanwhile is not answered")
        #expect(scans.begin(start) == true)
    }

    @Test func gathersEventsAndHurriesForOperators() {
        var scans = idle()
        scans.request()
        #expect(scans.due(start) == start + ScanSchedule.pause)
        #expect(scans.begin(start) == false)
        scans.request(urgently: true)
        #expect(scans.due(start) == start)
    }

    @Test func comesBackForWhatIsStillArriving() {
        var scans = idle()
        #expect(scans.begin(start + interval) == true)
        scans.end(.finished(again: .seconds(5), hasUnread: true), start + interval, interval: interval)
        #expect(scans.isSettling && scans.hasUnread)
        #expect(scans.due(start) == start + interval + .seconds(5))
    }

    @Test func isWaitedForOnlyForAWhile() {
        var scans = idle()
        scans.request(urgently: true)
        #expect(scans.isAwaited(start))
        #expect(scans.begin(start) == true)
        #expect(scans.isAwaited(start) && !scans.isAwaited(start + ScanSchedule.patience))
    }

    @Test func reportsAFailureOnce() {
        var scans = idle()
        for isNew in [true, false] {
            scans.request(urgently: true)
            #expect(scans.begin(start) == true)
            #expect(scans.end(.failed("no disk"), start, interval: interval) == isNew)
        }
        #expect(scans.failure == "no disk")
        scans.request(urgently: true)
        #expect(scans.begin(start) == true)
        scans.end(.finished(again: nil, hasUnread: false), start, interval: interval)
        #expect(scans.failure == nil)
    }

    @Test func answersNothingWhereItWasCancelled() {
        var scans = idle()
        let request = scans.request(urgently: true)
        #expect(scans.begin(start) == true)
        scans.end(.cancelled, start, interval: interval)
        #expect(scans.completed < request && !scans.isRunning)
    }

    @Test func cleansUpOnceInAnInterval() {
        var scans = idle()
        #expect(scans.takesCleanUp(start, interval: interval) == true)
        #expect(scans.takesCleanUp(start + .seconds(299), interval: interval) == false)
        #expect(scans.takesCleanUp(start + interval, interval: interval) == true)
    }
}
