import Testing

@testable import Daemon

struct StatusLineTests {
    @Test func isShownWhereItChanged() {
        var line = StatusLine()
        #expect(line.changes(to: "idle") == true)
        #expect(line.changes(to: "idle") == false)
        #expect(line.changes(to: "merging") == true)
        line.forget()
        #expect(line.changes(to: "merging") == true)
    }

    @Test func showsProgressOnceASecondAndEachPhase() {
        var line = StatusLine()
        let start = ContinuousClock.now
        #expect(line.shows(.fitting, start) == true)
        #expect(line.shows(.fitting, start + .milliseconds(999)) == false)
        #expect(line.shows(.fitting, start + .seconds(1)) == true)
        #expect(line.shows(.writing, start + .seconds(1)) == true)
    }
}
