import Files

/// What somebody noted of a ledger at some time: its number of entries, and the SHA-256 of the last of them.
package struct LedgerCheckpoint: Hashable, Sendable {
    package var entries: Int
    package var digest: String
    /// Who noted it, for messages: `release 3`.
    package var source: String

    package init(entries: Int, digest: String, source: String) {
        self.entries = entries
        self.digest = digest
        self.source = source
    }
}

extension Ledger {
    /// The number of entries and the SHA-256 of the last line.
    package var head: (entries: Int, digest: String) { (chain.count, chain.last) }

    /// As `verify(path:)`, and holds the chain against what was noted of it: a ledger that ends before a checkpoint is
    /// `LedgerError.cutOff`, one whose entries became others `LedgerError.replaced`. Its tail can only be missed from
    /// behind the last checkpoint.
    package static func verify(path: String, checkpoints: [LedgerCheckpoint]) throws(LedgerError) -> Int {
        var digests = LedgerDigests(Set(checkpoints.map(\.entries)))
        let file = try LedgerFile(path: path, forWriting: false)
        let length = try file.size()
        let chain = try LedgerChain(file) { members throws(JSONCursor.Fault) in digests.note(members) }
        digests.end(chain.count, chain.last)
        try digests.compare(checkpoints, path: path)
        guard chain.length >= length else { throw .torn(path: path, line: chain.count + 1) }
        return chain.count
    }
}
