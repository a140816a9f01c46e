import Foundation
import Ledger
import Testing

/// A tail that was cut off leaves a chain that holds; what others noted of it does not.
@Suite struct CheckpointTests {
    let directory: TemporaryDirectory
    /// After each entry.
    let heads: [LedgerCheckpoint]

    init() async throws {
        directory = try TemporaryDirectory()
        let ledger = try Ledger(path: directory.ledger)
        var heads: [LedgerCheckpoint] = []
        for number in 0...5 {
            let head = await ledger.head
            heads.append(.init(entries: head.entries, digest: head.digest, source: "release \(number)"))
            try await ledger.append(LedgerEvent(.published, version: number, message: "number \(number)"))
        }
        self.heads = heads
    }

    private func cut(to count: Int) throws {
        let lines = try directory.bytes().split(separator: 0x0A)
        try directory.write(lines.prefix(count).flatMap { $0 + [0x0A] })
    }

    @Test func everyCheckpointOfAnUntouchedLedgerHolds() throws {
        #expect(try Ledger.verify(path: directory.ledger, checkpoints: heads) == 6)
        #expect(try Ledger.verify(path: directory.ledger, checkpoints: []) == 6)
    }

    @Test func aTailThatWasCutOffIsMissed() throws {
        for count in (0..<5).reversed() {
            try cut(to: count)
            #expect(try Ledger.verify(path: directory.ledger) == count, "the chain alone says nothing")
            #expect(
                throws: LedgerError.cutOff(path: directory.ledger, entries: count, noted: 5, source: "release 5")
            ) { try Ledger.verify(path: directory.ledger, checkpoints: heads) }
        }
    }

    @Test func aTailThatWasWrittenAnewIsNotTheOldOne() async throws {
        try cut(to: 3)
        let ledger = try Ledger(path: directory.ledger)
        for number in 3...8 {
            try await ledger.append(LedgerEvent(.published, version: number, message: "another number \(number)"))
        }
        #expect(try Ledger.verify(path: directory.ledger) == 9)
        let error = #expect(throws: LedgerError.self) {
            try Ledger.verify(path: directory.ledger, checkpoints: heads)
        }
        #expect(error == .replaced(path: directory.ledger, entries: 4, source: "release 4"))
        #expect(error?.description.contains("\n") == false)
    }
}
