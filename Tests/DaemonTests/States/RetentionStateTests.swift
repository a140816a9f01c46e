import Foundation
import Testing

@testable import Daemon

struct RetentionStateTests {
    private let start = ContinuousClock.now

    @Test func countsFromWhenASuccessorWasSeen() {
        var retention = Retention()
        retention.note(standing: [3, 1, 2], start)
        let grace = Duration.seconds(60)
        #expect(!retention.isGraceOver(for: 1, grace, enteredAt: nil, start + .seconds(59)))
        retention.note(standing: [1, 2, 3, 4], start + .seconds(30))
        #expect(retention.isGraceOver(for: 1, grace, enteredAt: nil, start + grace))
        #expect(!retention.isGraceOver(for: 3, grace, enteredAt: nil, start + grace), "superseded later")
        #expect(!retention.isGraceOver(for: 4, .zero, enteredAt: nil, start + grace), "the newest")
    }

    @Test func entersADeletionOnce() {
        var retention = Retention()
        #expect(retention.enters(1) == true)
        #expect(retention.enters(1) == false)
        #expect(retention.enters(2) == true)
    }
}
