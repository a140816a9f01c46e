import Foundation
import Ledger
import Reliability
import Testing

@Suite struct LedgerAttackTests {
    let directory: TemporaryDirectory
    private static let tally = OutcomeCounter(
        attacks: "attack-ledger", "a ledger that was changed, cut, put together anew or exchanged")

    init() async throws {
        directory = try TemporaryDirectory()
        let ledger = try Ledger(path: directory.ledger)
        for number in 0..<4 {
            try await ledger.append(
                LedgerEvent(.published, task: "t", version: number, message: "number \(number) é", details: ["x": 0.5]))
        }
    }

    private func lines() throws -> [[UInt8]] { try directory.bytes().split(separator: 0x0A).map(Array.init) }

    private func expectBroken(line: Int, _ lines: [[UInt8]]) throws {
        try directory.write(Array(lines.joined(separator: [0x0A])) + [0x0A])
        let path = directory.ledger
        try expectRefusal({ _ = try Ledger.verify(path: path) }) { $0.isBroken(atLine: line) }
        try expectRefusal({ _ = try Ledger(path: path) }) { $0.isBroken(atLine: line) }
        #expect(directory.names == ["ledger.jsonl"])
    }

    private func expectRefusal(_ open: () throws -> Void, _ isRight: (LedgerError) -> Bool = { _ in true }) throws {
        var refusal: LedgerError?
        do { try open() } catch let error as LedgerError { refusal = error }
        let isExpected = refusal.map(isRight) == true
        #expect(isExpected, "\(refusal?.description ?? "accepted")")
        try Self.tally.note(refused: refusal != nil, asExpected: isExpected)
    }

    @Test func changedWord() throws {
        var lines = try lines()
        lines[1] = Array(String(decoding: lines[1], as: UTF8.self).replacing("number 1", with: "number 7").utf8)
        try expectBroken(line: 3, lines)
    }

    @Test func removedLine() throws {
        var lines = try lines()
        lines.remove(at: 1)
        try expectBroken(line: 2, lines)
    }

    @Test func swappedLines() throws {
        var lines = try lines()
        lines.swapAt(1, 2)
        try expectBroken(line: 2, lines)
    }

    @Test func repeatedLine() throws {
        var lines = try lines()
        lines.append(lines[3])
        try expectBroken(line: 5, lines)
    }

    @Test func blankLine() throws {
        var lines = try lines()
        lines.insert([], at: 2)
        try expectBroken(line: 3, lines)
    }

    @Test func badUTF8() throws {
        var lines = try lines()
        let position = try #require(lines[2].firstIndex(of: 0xC3))
        lines[2][position] = 0xFF
        try expectBroken(line: 3, lines)
    }

    @Test func duplicateKey() throws {
        var lines = try lines()
        lines[3] = Array("{\"sequence\":3,".utf8) + lines[3].dropFirst()
        try expectBroken(line: 4, lines)
    }

    @Test func deepNesting() throws {
        var lines = try lines()
        lines[0] = Array(repeating: UInt8(ascii: "["), count: 1_000_000)
        try expectBroken(line: 1, lines)
    }

    @Test(arguments: [
        "{", "[1,]", "{\"a\"}", "{\"a\":}", "\"\\u12\"", "\"\\ud800\"", "\"\\x\"", "01x", "nul", "{} {}", "1e999",
        "\"\u{2}\"", "-",
    ]) func malformedJSON(text: String) throws {
        var lines = try lines()
        lines[3] = Array(text.utf8)
        try expectBroken(line: 4, lines)
    }

    @Test func tornAtEveryByteOfTheLastLine() async throws {
        let whole = try directory.bytes()
        let body = whole.dropLast()
        let start = try #require(body.lastIndex(of: 0x0A)) + 1
        for end in start..<whole.count {
            let copy = try TemporaryDirectory()
            try copy.write(Array(whole[..<end]))
            if end > start {
                let torn = LedgerError.torn(path: copy.ledger, line: 4)
                try expectRefusal({ _ = try Ledger.verify(path: copy.ledger) }) { $0 == torn }
            }
            #expect(try Ledger.entries(path: copy.ledger).count == 3)
            let ledger = try Ledger(path: copy.ledger)
            #expect(try copy.bytes() == Array(whole[..<start]))
            if end > start { #expect(try copy.bytes("ledger.jsonl.torn-1") == Array(whole[start..<end])) }
            try await ledger.append(LedgerEvent(.stopped, message: "after"))
            #expect(try Ledger.verify(path: copy.ledger) == 4)
        }
    }

    @Test func secondTornTailKeepsTheFirst() async throws {
        for number in 1...2 {
            try directory.write(try directory.bytes() + [UInt8(ascii: "0") + UInt8(number)])
            _ = try Ledger(path: directory.ledger)
            #expect(try directory.bytes("ledger.jsonl.torn-\(number)") == [UInt8(ascii: "0") + UInt8(number)])
        }
    }

    @Test func pagesThatNeverReachedTheDisk() throws {
        let whole = try directory.bytes()
        try directory.write(whole + Array(repeating: 0, count: 5000) + [UInt8(ascii: "}"), 0x0A])
        let torn = LedgerError.torn(path: directory.ledger, line: 5)
        try expectRefusal({ _ = try Ledger.verify(path: directory.ledger) }) { $0 == torn }
        _ = try Ledger(path: directory.ledger)
        #expect(try directory.bytes() == whole)
    }

    @Test func linkInsteadOfALedger() throws {
        try FileManager.default.moveItem(atPath: directory.ledger, toPath: directory.path + "/elsewhere")
        try FileManager.default.createSymbolicLink(
            atPath: directory.ledger, withDestinationPath: directory.path + "/elsewhere")
        try expectRefusal({ _ = try Ledger(path: directory.ledger) })
    }

    @Test func directoryInsteadOfALedger() throws {
        try FileManager.default.removeItem(atPath: directory.ledger)
        try FileManager.default.createDirectory(atPath: directory.ledger, withIntermediateDirectories: false)
        try expectRefusal({ _ = try Ledger(path: directory.ledger) })
        let notRegular = LedgerError.notRegular(path: directory.ledger)
        try expectRefusal({ _ = try Ledger.verify(path: directory.ledger) }) { $0 == notRegular }
    }
}

extension LedgerError {
    fileprivate func isBroken(atLine line: Int) -> Bool {
        if case .broken(_, let found, _) = self { found == line } else { false }
    }
}
