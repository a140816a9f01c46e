import Foundation
import Glibc
import Ledger
import Testing

/// One writer at a time, and no longer than it lives.
@Suite struct LedgerLockTests {
    /// A child process that is about to start has every open file of its parent, until its exec.
    @Test func aLedgerThatIsLetGoIsFreeThoughAChildHoldsItsFile() throws {
        let directory = try TemporaryDirectory()
        var ledger: Ledger? = try Ledger(path: directory.ledger)
        #expect(ledger != nil)
        let path = URL(filePath: directory.ledger).resolvingSymlinksInPath().path
        let descriptor = try #require(
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap(Int32.init).first {
                let file = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
                return file == path
            })
        let inherited = dup(descriptor)
        defer { close(inherited) }
        #expect(throws: LedgerError.locked(path: directory.ledger)) { try Ledger(path: directory.ledger) }
        ledger = nil
        _ = try Ledger(path: directory.ledger)
    }
}
