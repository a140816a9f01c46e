import Testing

@testable import Daemon

struct MergeRetriesTests {
    private let start = ContinuousClock.now

    @Test func holdsTheSameMergeUntilItIsDue() {
        var retries = MergeRetries()
        retries.fail("no room")
        retries.wait("a", for: .seconds(4), start)
        #expect(retries.holds("a", start) == true)
        #expect(retries.dueAt == start + .seconds(4))
        retries.beginDecision()
        #expect(retries.holds("b", start) == false)
        #expect(retries.dueAt == nil)
        #expect(retries.holds("a", start + .seconds(4)) == false)
        #expect(retries.isBackingOff)
    }

    @Test func keepsWaitingWhereOnlyTheRegistryChanged() {
        var retries = MergeRetries()
        retries.fail("no room")
        retries.wait("a", for: .seconds(4), start)
        retries.clear(waiting: false)
        #expect(retries.failure == nil)
        #expect(retries.holds("a", start) == true)
        retries.clear(waiting: true)
        #expect(retries.holds("a", start) == false)
        #expect(!retries.isBackingOff)
    }

    @Test func holdsNothingThatIsNotTriedAgain() {
        var retries = MergeRetries()
        retries.wait("a", for: .seconds(4), start)
        retries.wait("b", for: nil, start)
        #expect(retries.holds("a", start) == false)
        #expect(retries.holds("b", start) == false)
    }
}
