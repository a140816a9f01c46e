import Files
import Glibc

/// The append-only audit log. Each entry is on the disk (fsync) when `append` returns. In memory are the number of
/// entries and the last digest, never the entries.
package actor Ledger {
    let file: LedgerFile
    private let now: @Sendable () -> Int64
    private(set) var chain: LedgerChain
    private var isSuspect = false
    private var observers: [@Sendable (LedgerEntry) -> Void] = []

    /// Opens or creates `path`, checks the chain, and cuts a torn last line off (what a crash mid-append leaves),
    /// keeping the cut bytes beside it as `ledger.jsonl.torn-<n>`. A broken chain anywhere else is an error that names
    /// the line; a ledger that another process has open is `LedgerError.locked`.
    package init(path: String) throws(LedgerError) {
        try self.init(path: path, calls: LedgerCalls(), now: Timestamp.now)
    }

    /// As above; `now` gives milliseconds since 1970.
    package init(
        path: String, calls: LedgerCalls, now: @escaping @Sendable () -> Int64 = { Timestamp.now() }
    ) throws(LedgerError) {
        let file = try LedgerFile(path: path, forWriting: true, calls: calls)
        try self.init(file, try Self.recover(file) { _ throws(JSONCursor.Fault) in }, now: now)
    }

    private init(
        _ file: LedgerFile, _ chain: LedgerChain, now: @escaping @Sendable () -> Int64
    ) throws(LedgerError) {
        (self.file, self.chain, self.now) = (file, chain, now)
        do {
            try Durable.syncDirectory(file.directory)
        } catch {
            throw .system(call: "fsync", path: file.directory, errno: error.errno ?? EIO)
        }
    }

    /// Walks the chain, recovers it, and gives how far it got; `visit` sees the members of each line.
    static func open(
        _ file: LedgerFile, now: @escaping @Sendable () -> Int64,
        _ visit: ([String: JSONValue]) throws(JSONCursor.Fault) -> Void
    ) throws(LedgerError) -> (Ledger, (count: Int, last: String)) {
        let chain = try recover(file, visit)
        return (try Ledger(file, chain, now: now), (chain.count, chain.last))
    }

    /// Appends, fsyncs, and hands the entry to each observer. Throws where somebody else has moved, replaced or changed
    /// the file. A failed append leaves no part of its line in the chain, nor all of it where only the fsync failed:
    /// the file is cut back, now or before the next append.
    @discardableResult
    package func append(_ event: LedgerEvent) throws(LedgerError) -> LedgerEntry {
        if isSuspect {
            try Self.cut(file, to: chain.length)
            isSuspect = false
        }
        try file.checkPlace(length: chain.length)
        let entry = LedgerEntry(
            event, sequence: chain.count, time: Timestamp.text(milliseconds: now()), previous: chain.last)
        let line = entry.line
        guard line.count < LedgerFile.longestLine else { throw .tooLong(path: file.path, bytes: line.count) }
        do {
            try file.append(line + [0x0A])
        } catch {
            isSuspect = true
            if (try? file.truncate(to: chain.length)) != nil { isSuspect = false }
            throw error
        }
        chain.advance(line[...])
        for observer in observers { observer(entry) }
        return entry
    }

    /// Entries in order; the last `limit` where given. Reads from the end, only as far as needed.
    package func entries(last limit: Int? = nil) throws(LedgerError) -> [LedgerEntry] {
        try Self.entries(in: file, length: chain.length, last: limit, lines: chain.count)
    }

    /// Called after each append, for the journal twin and for watchers.
    package func observe(_ observer: @escaping @Sendable (LedgerEntry) -> Void) {
        observers.append(observer)
    }

    /// Reads a ledger without opening it for writing and gives the number of its entries; throws `LedgerError` at the
    /// first line that does not chain.
    package static func verify(path: String) throws(LedgerError) -> Int {
        try verify(path: path, checkpoints: [])
    }
}
