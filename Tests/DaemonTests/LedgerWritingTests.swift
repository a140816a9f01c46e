import Files
import Foundation
import Ledger
import Synchronization
import Testing

@testable import Daemon

private final class Flag: Sendable {
    private let value = Mutex(false)
    var isSet: Bool { value.withLock(\.self) }
    func set() { value.withLock { $0 = true } }
}

/// Worker events and the loop record at the same time.
@Suite(.timeLimit(.minutes(20)))
struct LedgerWritingTests {
    @Test func eventsFromManySidesAreWrittenOnceEachAndInOrder() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        try await stand.live { daemon in
            await withTaskGroup { group in
                for side in 0..<8 {
                    group.addTask {
                        for number in 0..<25 {
                            await daemon.record(
                                LedgerEvent(.hook, message: "\(side)", details: ["number": .integer(number)]))
                        }
                    }
                }
            }
        }
        let entries = try Ledger.entries(path: stand.configuration.ledger).filter { $0.event == .hook }
        #expect(entries.count == 8 * 25)
        for side in 0..<8 {
            let numbers = entries.filter { $0.message == "\(side)" }.map { $0.details["number"] }
            #expect(numbers == (0..<25).map { JSONValue.integer($0) })
        }
        #expect(try Ledger.verify(path: stand.configuration.ledger) > entries.count)
    }

    /// A hook that ends writes beside the loop.
    @Test func aLedgerThatIsBeingWrittenIsNotOneThatCantBe() async throws {
        var stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        let (isReached, door) = (Flag(), DispatchSemaphore(value: 0))
        stand.calls.write = { [real = LedgerCalls()] descriptor, bytes in
            if String(decoding: bytes, as: UTF8.self).contains("a slow hook") {
                isReached.set()
                door.wait()
            }
            return real.write(descriptor, bytes)
        }
        stand.drop("a")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            let writing = Task { await daemon.record(LedgerEvent(.hook, message: "a slow hook")) }
            while !isReached.isSet { try await turn() }
            let health = await daemon.health()
            door.signal()
            await writing.value
            #expect(health.problems == [])
        }
    }
}
