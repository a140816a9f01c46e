import Testing

@testable import Daemon

struct WaitersTests {
    private let start = ContinuousClock.now

    private func scans(completed: Int = 2, again: Duration? = nil, hasUnread: Bool = false) -> ScanSchedule {
        var scans = ScanSchedule(start)
        for _ in 1...completed {
            #expect(scans.begin(start) == true)
            scans.end(.finished(again: again, hasUnread: hasUnread), start, interval: .seconds(300))
            scans.request(urgently: true)
        }
        return scans
    }

    private func taken(
        _ waiters: inout Waiters<String>, _ scans: ScanSchedule, isGathering: Bool = false, after time: Duration = .zero
    ) -> [String] {
        waiters.take(after: scans, isGathering: isGathering, patience: .seconds(10), start + time)
    }

    @Test func answersThoseWhoseScanHasEnded() {
        var waiters = Waiters<String>()
        waiters.add("early", request: 1, start)
        waiters.add("late", request: 3, start)
        #expect(taken(&waiters, scans()) == ["early"])
        #expect(taken(&waiters, scans()) == [])
        #expect(!waiters.isEmpty)
        #expect(waiters.takeAll() == ["late"])
        #expect(waiters.isEmpty)
    }

    @Test func waitsForArrivalsWithPatience() {
        var waiters = Waiters<String>()
        waiters.add("a", request: 1, start)
        #expect(waiters.deadline(patience: .seconds(10), start) == start + .seconds(10))
        #expect(taken(&waiters, scans(), isGathering: true) == [])
        #expect(taken(&waiters, scans(hasUnread: true)) == [])
        #expect(taken(&waiters, scans(again: .seconds(1)), after: .seconds(9)) == [])
        #expect(taken(&waiters, scans(again: .seconds(1)), after: .seconds(10)) == ["a"])
        #expect(waiters.deadline(patience: .seconds(10), start) == nil)
    }
}
