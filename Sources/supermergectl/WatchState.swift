import Control
import Ledger

/// What a watcher has seen, and what of an answer is new to it.
struct WatchState {
    /// What to tell.
    struct News {
        var entries: [LedgerEntry]
        /// Where it is another one than before.
        var status: DaemonStatus?
        /// The running merge where a line is due: another phase, an evaluation of the held-out examples.
        var progress: DaemonStatus.Merge?
        var isActivityNew = false
    }

    private let last: Int
    private var revision: Int?
    private var sequence: Int?
    private(set) var status: DaemonStatus?
    /// The newest entries, oldest first.
    private(set) var recent: [LedgerEntry] = []
    private(set) var isAway = false
    private static let kept = 200

    init(last: Int) { self.last = last }

    /// What to ask next: at first everything that is wanted of the past, later what is new.
    var path: String {
        guard let sequence else { return "/watch?after=-1&last=\(last)" }
        return "/watch?after=\(sequence)" + (revision.map { "&revision=\($0)" } ?? "")
    }

    mutating func take(_ reply: LongPollReply) -> News {
        // A ledger that is shorter than before is another one.
        let isOther = reply.sequence < sequence ?? -1
        let entries = reply.entries
        sequence = isOther ? nil : max(reply.sequence, sequence ?? -1)
        revision = isOther ? nil : reply.revision
        recent = Array((recent + entries).suffix(Self.kept))
        var news = News(entries: entries)
        if reply.status != status {
            news.status = reply.status
            news.isActivityNew =
                reply.status.merge == nil
                && (reply.status.activity != status?.activity || reply.status.message != status?.message)
            if let merge = reply.status.merge {
                let before = status?.merge
                let isDue = merge.phase != before?.phase || merge.merge != before?.merge || merge.heldOut != nil
                if isDue { news.progress = merge }
            }
        }
        status = reply.status
        isAway = false
        return news
    }

    /// The daemon does not answer; what it said last stays, and the next answer is wanted at once.
    mutating func lose() {
        isAway = true
        revision = nil
    }
}
