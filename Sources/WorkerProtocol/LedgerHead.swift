/// The ledger's end at some time: a known head shows later whether entries before it were cut off or
/// changed.
package struct LedgerHead: Codable, Hashable, Sendable {
    /// Number of entries.
    package var entries: Int
    /// SHA-256 of the last of them (its line without the line break); 64 zeros where there is none.
    package var digest: String

    package init(entries: Int, digest: String) {
        self.entries = entries
        self.digest = digest
    }
}
