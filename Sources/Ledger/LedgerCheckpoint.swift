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
        let noted = Dictionary(grouping: checkpoints, by: \.entries)
        var replaced: LedgerCheckpoint?
        func compare(_ count: Int, _ digest: String) {
            if replaced == nil { replaced = noted[count]?.first { $0.digest != digest } }
        }
        let file = try LedgerFile(path: path, forWriting: false)
        let length = try file.size()
        let chain = try LedgerChain(file) { members throws(JSONCursor.Fault) in
            if case .integer(let sequence) = members["sequence"], case .string(let digest) = members["previous"] {
                compare(sequence, digest)
            }
        }
        compare(chain.count, chain.last)
        if let replaced {
            throw .replaced(path: path, entries: replaced.entries, source: replaced.source)
        }
        if let last = checkpoints.max(by: { $0.entries < $1.entries }), last.entries > chain.count {
            throw .cutOff(path: path, entries: chain.count, noted: last.entries, source: last.source)
        }
        guard chain.length >= length else { throw .torn(path: path, line: chain.count + 1) }
        return chain.count
    }
}
