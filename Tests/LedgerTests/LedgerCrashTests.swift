import Files
import Foundation
import Ledger
import Reliability
import Synchronization
import Testing

/// Stops and fails the ledger at each of its system calls. What was acknowledged is there, in order, and nothing twice.
@Suite struct LedgerCrashTests {
    /// What the system does at one call, counted over all calls, and from then on.
    private struct Fault: Sendable {
        enum Kind: String, CaseIterable, Sendable {
            case killed, EIO, ENOSPC, EINTR, short, stuck

            var words: String {
                switch self {
                case .killed: "stopped there, with none, some or all of its bytes written"
                case .EIO, .ENOSPC, .EINTR: "fails once with \(rawValue)"
                case .short: "a write takes only part of its bytes"
                case .stuck: "fails, and so do all fsyncs and truncations until the next append but one"
                }
            }
        }

        var kind: Kind
        var call: Int
        /// Bytes that a write which is cut short has written, as a share of all.
        var share = 0.5
    }

    private static let events = ["one", "two", "three", "four"]

    /// Appends `events` under the fault; gives the messages that were acknowledged and whether the fault was met.
    private func run(_ fault: Fault, in directory: TemporaryDirectory) async throws -> (told: [String], isMet: Bool) {
        let count = Mutex(0)
        let isDead = Flag()
        let isStuck = Flag()
        let real = LedgerCalls()
        /// Whether this call has to fail; sets errno.
        let fails = { @Sendable (isWrite: Bool) -> Bool in
            if isDead.value {
                errno = EIO
                return true
            }
            if isStuck.value, !isWrite {
                errno = EIO
                return true
            }
            let number = count.withLock { count in
                count += 1
                return count
            }
            guard number == fault.call else { return false }
            switch fault.kind {
            case .killed: isDead.value = true
            case .stuck: isStuck.value = true
            default: break
            }
            errno = [.EIO: EIO, .ENOSPC: ENOSPC, .EINTR: EINTR, .killed: EIO, .stuck: EIO][fault.kind] ?? ENOSPC
            return true
        }
        var calls = LedgerCalls()
        calls.write = { descriptor, bytes in
            guard fails(true) else { return real.write(descriptor, bytes) }
            let failure = errno
            let part = Array(bytes.prefix(Int(Double(bytes.count) * fault.share)))
            if fault.kind == .killed || fault.kind == .short, !part.isEmpty {
                let written = real.write(descriptor, part)
                if fault.kind == .short { return written }
            }
            errno = failure
            return -1
        }
        calls.sync = { fails(false) ? -1 : real.sync($0) }
        calls.truncate = { fails(false) ? -1 : real.truncate($0, $1) }
        let ledger = try Ledger(path: directory.ledger, calls: calls)
        var told: [String] = []
        for event in Self.events {
            if (try? await ledger.append(LedgerEvent(.scanned, message: event))) != nil { told.append(event) }
            if event == Self.events[2] { isStuck.value = false }
        }
        return (told, count.withLock { $0 } >= fault.call)
    }

    @Test func stoppedAndFailedAtEveryCall() async throws {
        for kind in Fault.Kind.allCases {
            let tally = OutcomeCounter(
                "ledger-\(kind)", "four appends to the ledger, at each system call: \(kind.words)",
                forbidden: ["acknowledged and lost", "twice", "chain broken"])
            var call = 0
            var isMet = true
            while isMet {
                call += 1
                for share in kind == .killed || kind == .short ? [0, 0.01, 0.5, 0.99, 1] : [0.5] {
                    let directory = try TemporaryDirectory()
                    let (told, wasMet) = try await run(Fault(kind: kind, call: call, share: share), in: directory)
                    isMet = wasMet
                    guard wasMet else { continue }
                    let note = Comment(rawValue: "\(kind) at call \(call), \(share) written; told \(told)")
                    let reopened = try await directory.reopen()
                    let found = try await reopened.entries().map(\.message)
                    // What nobody was told of may be there only if nothing came after it.
                    let isHonest =
                        found == told || (found.dropLast() == told[...] && (kind == .killed || kind == .stuck))
                    #expect(isHonest, "\(note): found \(found)")
                    tally.note(
                        Set(found).count < found.count
                            ? "twice" : !Set(told).isSubset(of: found) ? "acknowledged and lost" : "what was told")
                    try await reopened.append(LedgerEvent(.stopped, message: "after"))
                    let verified = try? Ledger.verify(path: directory.ledger)
                    #expect(verified == found.count + 1, note)
                    if verified != found.count + 1 { tally.note("chain broken") }
                }
                #expect(call < 100)
                if call >= 100 { break }
            }
            #expect(tally.isGood)
            try tally.write()
        }
    }

    /// The bytes of an entry reached the disk, the fsync failed, and it could not be cut off: whoever tries again has
    /// it once.
    @Test func anEntryWhoseFsyncFailedIsNotThereTwice() async throws {
        let directory = try TemporaryDirectory()
        let isFailing = Flag()
        let real = LedgerCalls()
        var calls = LedgerCalls()
        calls.sync = { descriptor in
            errno = EIO
            return isFailing.value ? -1 : real.sync(descriptor)
        }
        calls.truncate = { descriptor, length in
            errno = EIO
            return isFailing.value ? -1 : real.truncate(descriptor, length)
        }
        let ledger = try Ledger(path: directory.ledger, calls: calls)
        try await ledger.append(LedgerEvent(.started, message: "one"))
        isFailing.value = true
        await #expect(throws: LedgerError.self) { try await ledger.append(LedgerEvent(.published, message: "two")) }
        isFailing.value = false
        try await ledger.append(LedgerEvent(.published, message: "two"))
        #expect(try await ledger.entries().map(\.message) == ["one", "two"])
        #expect(try Ledger.verify(path: directory.ledger) == 2)
    }

    /// A start that is cut short while it cuts off what its forerunner left.
    @Test func repairCutAtEveryStep() async throws {
        let tally = OutcomeCounter(
            "ledger-repair", "the repair of a torn ledger, stopped before each of its changes",
            forbidden: ["acknowledged and lost", "torn bytes lost"])
        let directory = try TemporaryDirectory()
        do {
            let ledger = try Ledger(path: directory.ledger)
            for event in Self.events { try await ledger.append(LedgerEvent(.scanned, message: event)) }
        }
        let whole = try directory.bytes()
        let torn = Array(whole.dropLast(20))
        let tail = Array(torn[(torn.lastIndex(of: 0x0A) ?? 0)...].dropFirst())
        for step in 1...50 {
            for name in directory.names { try Durable.remove("\(directory.path)/\(name)") }
            try directory.write(torn)
            let count = Mutex(0)
            let isDue = { @Sendable () -> Bool in
                count.withLock { count in
                    count += 1
                    return count >= step
                }
            }
            var calls = LedgerCalls()
            calls.truncate = { isDue() ? -1 : LedgerCalls().truncate($0, $1) }
            calls.sync = { isDue() ? -1 : LedgerCalls().sync($0) }
            let interceptor: @Sendable (FileMutation) throws(FilesError) -> Void = { mutation throws(FilesError) in
                if isDue() { throw .system(call: mutation.kind.rawValue, path: mutation.path, errno: EIO) }
            }
            let isCut = FileMutation.$interceptor.withValue(interceptor) {
                (try? Ledger(path: directory.ledger, calls: calls)) == nil
            }
            let ledger = try await directory.reopen()
            let found = try await ledger.entries().map(\.message)
            let isKept = directory.names.contains {
                $0.contains(".torn-") && (try? directory.bytes($0)) == tail
            }
            #expect(found == Array(Self.events.dropLast()) && isKept, "step \(step)")
            tally.note(
                found != Array(Self.events.dropLast())
                    ? "acknowledged and lost" : isKept ? "what was told" : "torn bytes lost")
            try await ledger.append(LedgerEvent(.stopped, message: "after"))
            #expect(try Ledger.verify(path: directory.ledger) == Self.events.count)
            if !isCut, count.withLock({ $0 }) < step { break }
        }
        #expect(tally.isGood && tally.tried > 5)
        try tally.write()
    }
}
