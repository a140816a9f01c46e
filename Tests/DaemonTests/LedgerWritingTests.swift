import Foundation
import Ledger
import Testing

@testable import Daemon

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
            #expect(numbers == (0..<25).map { LedgerValue.integer($0) })
        }
        #expect(try Ledger.verify(path: stand.configuration.ledger) > entries.count)
    }
}
