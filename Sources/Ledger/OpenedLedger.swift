import Files

/// A ledger that was opened for writing, and what the one walk along it that checked its chain gave.
package struct OpenedLedger<State: Sendable>: Sendable {
    package let ledger: Ledger
    /// Every entry taken in, in order.
    package let state: State
    /// Of the entries that were asked for.
    package let digests: LedgerDigests

    /// As `Ledger(path:)`. `counts`: numbers of entries after which the digest is noted. Memory: a chunk, the longest
    /// line and what `take` makes of the entries.
    package init(
        path: String, calls: LedgerCalls = LedgerCalls(), now: (@Sendable () -> Int64)? = nil, into state: State,
        noting counts: Set<Int> = [], _ take: (inout State, LedgerEntry) -> Void
    ) throws(LedgerError) {
        var (taken, digests) = (state, LedgerDigests(counts))
        let file = try LedgerFile(path: path, forWriting: true, calls: calls)
        let end: (count: Int, last: String)
        (ledger, end) = try Ledger.open(file, now: now ?? { Timestamp.now() }) { members throws(JSONCursor.Fault) in
            digests.note(members)
            if let entry = try LedgerEntry(members: members) { take(&taken, entry) }
        }
        digests.end(end.count, end.last)
        (self.state, self.digests) = (taken, digests)
    }
}

/// Digests of a ledger's entries, noted on a walk along it.
package struct LedgerDigests: Hashable, Sendable {
    private let counts: Set<Int>
    private var found: [Int: String] = [:]
    /// Number of entries.
    package private(set) var count = 0

    /// `counts`: numbers of entries after which the digest is noted.
    init(_ counts: Set<Int>) { self.counts = counts }

    mutating func note(_ members: [String: JSONValue]) {
        guard case .integer(let sequence) = members["sequence"], case .string(let digest) = members["previous"] else {
            return
        }
        note(sequence, digest)
    }

    mutating func end(_ count: Int, _ last: String) {
        self.count = count
        note(count, last)
    }

    private mutating func note(_ count: Int, _ digest: String) {
        if counts.contains(count) { found[count] = digest }
    }

    /// Whether the walk noted what these are compared with.
    package func cover(_ checkpoints: [LedgerCheckpoint]) -> Bool {
        checkpoints.allSatisfy { counts.contains($0.entries) }
    }

    /// Throws where the ledger of this path is not what was noted of it; see `Ledger.verify`.
    package func compare(_ checkpoints: [LedgerCheckpoint], path: String) throws(LedgerError) {
        let replaced = checkpoints.sorted { $0.entries < $1.entries }.first { checkpoint in
            found[checkpoint.entries].map { $0 != checkpoint.digest } ?? false
        }
        if let replaced {
            throw .replaced(path: path, entries: replaced.entries, source: replaced.source)
        }
        if let last = checkpoints.max(by: { $0.entries < $1.entries }), last.entries > count {
            throw .cutOff(path: path, entries: count, noted: last.entries, source: last.source)
        }
    }
}
