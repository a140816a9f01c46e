/// The append-only audit log. Each entry is on the disk (fsync) when `append` returns.
package actor Ledger {
    /// Opens or creates `path`, checks the chain, and cuts a torn last line off (what a crash mid-append leaves), keeping the
    /// cut bytes beside it as `ledger.jsonl.torn-<n>`. A broken chain anywhere else is an error that names the line.
    package init(path: String) throws { fatalError() }

    /// Appends, fsyncs, and hands the entry to each observer.
    @discardableResult
    package func append(_ event: LedgerEvent) throws -> LedgerEntry { fatalError() }

    /// Entries in order; the last `limit` where given.
    package func entries(last limit: Int? = nil) throws -> [LedgerEntry] { fatalError() }

    /// Called after each append, for the journal twin and for watchers.
    package func observe(_ observer: @escaping @Sendable (LedgerEntry) -> Void) {}

    /// Reads a ledger without opening it for writing; throws `LedgerError` at the first line that does not chain.
    package static func verify(path: String) throws -> Int { fatalError() }
}
