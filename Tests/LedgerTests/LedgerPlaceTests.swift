import Files
import Foundation
import Ledger
import Testing

/// A ledger that somebody touches under a running daemon: nothing is acknowledged that would be lost.
@Suite struct LedgerPlaceTests {
    let directory: TemporaryDirectory
    let ledger: Ledger
    private let event = LedgerEvent(.scanned, message: "lost")

    init() async throws {
        directory = try TemporaryDirectory()
        ledger = try Ledger(path: directory.ledger)
        for message in ["one", "two"] { try await ledger.append(LedgerEvent(.scanned, message: message)) }
    }

    private func expectRefused(_ error: LedgerError) async {
        await #expect(throws: error) { try await ledger.append(event) }
        #expect(!error.description.contains("\n") && error.description.contains("; "))
    }

    private func expectGoesOn() async throws {
        try await ledger.append(LedgerEvent(.scanned, message: "three"))
        #expect(try await ledger.entries().map(\.message) == ["one", "two", "three"])
        #expect(try Ledger.verify(path: directory.ledger) == 3)
    }

    @Test func movedAwayAndBack() async throws {
        let away = directory.ledger + ".away"
        try Durable.rename(directory.ledger, to: away)
        await expectRefused(.moved(path: directory.ledger))
        #expect(directory.names == ["ledger.jsonl.away"])
        try Durable.rename(away, to: directory.ledger)
        try await expectGoesOn()
    }

    @Test func replacedByACopy() async throws {
        let bytes = try directory.bytes()
        try Durable.replace(directory.ledger, with: bytes)
        await expectRefused(.moved(path: directory.ledger))
        #expect(try directory.bytes() == bytes)
    }

    @Test func replacedByALinkToItself() async throws {
        let away = directory.ledger + ".away"
        try Durable.rename(directory.ledger, to: away)
        try Durable.pointLink(directory.ledger, at: away)
        await expectRefused(.moved(path: directory.ledger))
    }

    @Test func deleted() async throws {
        try Durable.remove(directory.ledger)
        await expectRefused(.moved(path: directory.ledger))
    }

    @Test(arguments: ["nothing", "a part", "all but a byte"]) func truncated(kept: String) async throws {
        let whole = try directory.bytes()
        let length = ["nothing": 0, "a part": 10][kept] ?? whole.count - 1
        try directory.write(Array(whole.prefix(length)))
        await expectRefused(.altered(path: directory.ledger, bytes: length, expected: whole.count))
        #expect(try directory.bytes().count == length, "and nothing was written over what is left")
        try directory.write(whole)
        try await expectGoesOn()
    }

    @Test func grownBySomebodyElse() async throws {
        let whole = try directory.bytes()
        try directory.write(whole + Array("{}\n".utf8))
        let length = try directory.bytes().count
        await expectRefused(.altered(path: directory.ledger, bytes: length, expected: whole.count))
    }
}
