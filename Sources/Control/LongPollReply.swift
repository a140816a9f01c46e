package import Ledger

/// What `GET /watch?revision=R&after=S&last=N` answers: at once where the daemon's revision is not R, else when
/// something changes or after a while.
package struct LongPollReply: Codable, Hashable, Sendable {
    /// Changes with everything that `status` and the ledger show; of no other meaning.
    package var revision: Int
    /// Sequence of the newest ledger entry; -1 where there is none.
    package var sequence: Int
    /// Ledger entries after S, oldest first; none where no S was given. The newest N where given, and never more than
    /// some hundreds.
    package var entries: [LedgerEntry]
    package var status: DaemonStatus

    package init(revision: Int, sequence: Int, entries: [LedgerEntry], status: DaemonStatus) {
        self.revision = revision
        self.sequence = sequence
        self.entries = entries
        self.status = status
    }
}
