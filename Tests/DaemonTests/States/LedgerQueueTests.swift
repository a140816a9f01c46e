import Ledger
import Testing
import WorkerProtocol

@testable import Daemon

struct LedgerQueueTests {
    @Test func writesInOrder() {
        var queue = LedgerQueue()
        queue.add(LedgerEvent(.started, message: "a"))
        queue.add(LedgerEvent(.refused, message: "b"))
        #expect(queue.next?.message == "a")
        queue.handle(.written)
        #expect(queue.next?.message == "b")
        queue.handle(.written)
        #expect(queue.isEmpty)
        #expect(queue.counts == [.started: 1, .refused: 1])
    }

    @Test func keepsWhatFailedUntilItIsWritten() {
        var queue = LedgerQueue()
        queue.add(LedgerEvent(.started, message: "a"))
        queue.handle(.failed)
        queue.add(LedgerEvent(.stopped, message: "b"))
        #expect(queue.isFailing)
        #expect(queue.waiting.map(\.message) == ["a", "b"])
        queue.handle(.written)
        #expect(!queue.isFailing)
        #expect(queue.next?.message == "b")
    }

    @Test func cutsWhatIsTooLong() throws {
        var queue = LedgerQueue()
        queue.add(
            LedgerEvent(
                .refused, message: String(repeating: "é", count: 5000),
                details: ["short": "x", "long": .string(String(repeating: "y", count: 5000)), "list": .array([])]))
        queue.handle(.tooLong)
        let event = try #require(queue.next)
        #expect(event.message.unicodeScalars.count == 4096 + " … (cut)".unicodeScalars.count)
        #expect(event.details == ["short": "x"])
        #expect(!queue.isFailing)
    }

    @Test func nothingComesOfAnEmptyOne() {
        var queue = LedgerQueue()
        for outcome in [LedgerQueue.Outcome.written, .tooLong, .failed] { queue.handle(outcome) }
        #expect(queue.isEmpty && !queue.isFailing)
    }
}
