import Files
import Foundation
import Ledger
import Synchronization
import Testing

@Suite struct LedgerTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func ledger(_ calls: LedgerCalls = LedgerCalls()) throws -> Ledger {
        try Ledger(path: directory.ledger, calls: calls, now: { 1_772_262_309_120 })
    }

    @Test func entriesComeBackAsTheyWentIn() async throws {
        let event = LedgerEvent(
            .refused, task: "sst2", version: 3, merge: "m1", message: "“weight” is NaN\n\u{1}\\\"🙂/",
            details: [
                "code": "not-finite", "share": 0.25, "whole": 1.0, "count": 9_007_199_254_740_993, "yes": true,
                "none": .null,
                "list": .array([1, "a", .object(["tiny": 1.5e-300])]), "file_name": "a/b",
            ])
        let first = try await ledger().append(event)
        #expect(first.sequence == 0)
        #expect(first.time == "2026-02-28T07:05:09.120Z")
        #expect(first.previous == String(repeating: "0", count: 64))
        let reopened = try ledger()
        #expect(try await reopened.entries() == [first])
        let second = try await reopened.append(LedgerEvent(.stopped, message: "stopped"))
        #expect(second.sequence == 1)
        #expect(try Ledger.verify(path: directory.ledger) == 2)
        let line = try #require(String(validating: try directory.bytes(), as: UTF8.self)).split(separator: "\n")[1]
        #expect(
            line == """
                {"details":{},"event":"stopped","message":"stopped","previous":"\(second.previous)","sequence":1,\
                "time":"2026-02-28T07:05:09.120Z"}
                """)
    }

    @Test func foundationReadsTheLines() async throws {
        let ledger = try ledger()
        let entry = try await ledger.append(
            LedgerEvent(
                .gated, task: "a", message: "é\t", details: ["fall": 0.0625, "figures": .array([1, 2.5, .null])]))
        let line = try directory.bytes().dropLast()
        #expect(try JSONDecoder().decode(LedgerEntry.self, from: Data(line)) == entry)
    }

    @Test func numbersThatJSONLacksBecomeStrings() async throws {
        let ledger = try ledger()
        try await ledger.append(
            LedgerEvent(.gated, message: "", details: ["a": .number(.nan), "b": .number(-.infinity)]))
        #expect(try await ledger.entries()[0].details == ["a": "nan", "b": "-inf"])
    }

    @Test(arguments: [0, 1, 2, 299, 300, 1000]) func lastEntriesAreReadFromTheEnd(limit: Int) async throws {
        let ledger = try ledger()
        var all: [LedgerEntry] = []
        for number in 0..<300 {
            let text = String(repeating: "x", count: number * 7 % 1500)
            all.append(try await ledger.append(LedgerEvent(.scanned, message: text)))
        }
        #expect(try await ledger.entries(last: limit) == all.suffix(limit))
        #expect(try Ledger.entries(path: directory.ledger, last: limit) == all.suffix(limit))
        #expect(try await ledger.entries(after: limit, atMost: .max) == Array(all.dropFirst(limit + 1)))
        #expect(try await ledger.entries(after: limit, atMost: 3) == Array(all.dropFirst(limit + 1).suffix(3)))
    }

    @Test func tenThousandEntriesVerify() async throws {
        let calls = {
            var calls = LedgerCalls()
            calls.sync = { _ in 0 }
            return calls
        }()
        let ledger = try ledger(calls)
        for number in 0..<10_000 {
            try await ledger.append(LedgerEvent(.mergeProgress, message: "step", details: ["step": .integer(number)]))
        }
        #expect(try Ledger.verify(path: directory.ledger) == 10_000)
    }

    @Test func observersSeeWhatIsOnTheDisk() async throws {
        let ledger = try ledger()
        let path = directory.ledger
        let seen = Mutex<[Int]>([])
        await ledger.observe { entry in
            let count = try? Ledger.verify(path: path)
            seen.withLock { $0 += [entry.sequence, count ?? -1] }
        }
        try await ledger.append(LedgerEvent(.started, message: ""))
        try await ledger.append(LedgerEvent(.stopped, message: ""))
        #expect(seen.withLock { $0 } == [0, 1, 1, 2])
    }

    @Test(arguments: ["write", "short", "sync"]) func failedAppendLeavesNoHalfLine(fault: String) async throws {
        let isFailing = Flag()
        var calls = LedgerCalls()
        let real = LedgerCalls()
        calls.write = { descriptor, bytes in
            guard isFailing.value else { return real.write(descriptor, bytes) }
            if fault == "write" {
                errno = EIO
                return -1
            }
            return real.write(descriptor, fault == "short" ? Array(bytes.prefix(bytes.count / 2)) : bytes)
        }
        calls.sync = { descriptor in
            guard isFailing.value, fault == "sync" else { return real.sync(descriptor) }
            errno = EIO
            return -1
        }
        let ledger = try ledger(calls)
        try await ledger.append(LedgerEvent(.started, message: "one"))
        isFailing.value = true
        await #expect(throws: LedgerError.self) { try await ledger.append(LedgerEvent(.accepted, message: "lost")) }
        isFailing.value = false
        try await ledger.append(LedgerEvent(.stopped, message: "two"))
        #expect(try await ledger.entries().map(\.message) == ["one", "two"])
        #expect(try Ledger.verify(path: directory.ledger) == 2)
    }

    @Test func aLineThatCannotBeCutOffIsCutOffBeforeTheNextAppend() async throws {
        let isFailing = Flag()
        var calls = LedgerCalls()
        let real = LedgerCalls()
        calls.write = { descriptor, bytes in
            real.write(descriptor, isFailing.value ? Array(bytes.prefix(5)) : bytes)
        }
        calls.truncate = { descriptor, length in
            guard isFailing.value else { return real.truncate(descriptor, length) }
            errno = EIO
            return -1
        }
        let ledger = try ledger(calls)
        isFailing.value = true
        await #expect(throws: LedgerError.self) { try await ledger.append(LedgerEvent(.started, message: "lost")) }
        isFailing.value = false
        try await ledger.append(LedgerEvent(.started, message: "kept"))
        #expect(try Ledger.verify(path: directory.ledger) == 1)
        #expect(directory.names == ["ledger.jsonl", "ledger.jsonl.torn-1"])
    }

    @Test func anEventOfALaterVersionStopsNobody() async throws {
        let first = try await ledger().append(LedgerEvent(.started, message: "one"))
        let text = String(decoding: try directory.bytes(), as: UTF8.self)
        let line = text.replacing(#""event":"started""#, with: #""event":"enchanted""#)
            .replacing(#""sequence":0"#, with: #""sequence":1"#)
            .replacing(first.previous, with: Digest.sha256(text.dropLast().utf8))
        try directory.write(Array((text + line).utf8))
        let reopened = try ledger()
        let third = try await reopened.append(LedgerEvent(.stopped, message: "three"))
        #expect(third.sequence == 2)
        #expect(try await reopened.entries().map(\.message) == ["one", "three"])
        #expect(try Ledger.entries(path: directory.ledger, last: 2).map(\.message) == ["three"])
        #expect(try Ledger.verify(path: directory.ledger) == 3)
    }

    @Test func secondDaemonOnTheSameStateIsRefused() async throws {
        let first = try ledger()
        #expect(throws: LedgerError.locked(path: directory.ledger)) { try ledger() }
        try await first.append(LedgerEvent(.started, message: ""))
        #expect(try Ledger.verify(path: directory.ledger) == 1)
    }
}
