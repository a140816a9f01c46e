import Ledger

/// When the ledger's head is stamped, and what came of it.
struct TimestampState {
    /// Entries of the head that was stamped last by this process.
    var entries = 0
    /// Publications of this process up to then.
    var publications = 0
    /// When the next one is due though nothing is published; nil: at once.
    var dueAt: ContinuousClock.Instant?
    /// Why the last attempt came to nothing; nil where it did not.
    var failure: String?
    /// The attempt that is under way.
    var task: Task<Void, Never>?
}

/// Proof of time: the ledger's head is stamped at the start, after each publication, and at the configured interval.
/// Nothing waits for it.
extension Reconciler {
    /// Time after which a failed attempt is made again, at most.
    private static let longestRetry = Duration.seconds(600)

    private var publications: Int {
        [.published, .promoted, .rolledBack, .canaryStarted].reduce(0) { $0 + (ledgerQueue.counts[$1] ?? 0) }
    }

    /// Starts an attempt where one is due.
    func stampIfDue(at now: ContinuousClock.Instant = .now) async {
        let settings = configuration.timestamp
        guard !settings.command.isEmpty else {
            (stamps.failure, stamps.dueAt) = (nil, nil)
            return
        }
        guard stamps.task == nil, !isStopping, ledgerQueue.isEmpty, !isLedgerDoubtful else { return }
        let published = publications
        let isDue = stamps.dueAt.map { $0 <= now } ?? true
        guard isDue || stamps.failure == nil && published > stamps.publications else { return }
        let head = await parts.ledger.head
        guard head.entries > stamps.entries else {
            stamps.dueAt = now + settings.interval
            return
        }
        let statement = LedgerStatement(entries: head.entries, digest: head.digest)
        let (runner, ledger) = (parts.timestamps, configuration.ledger)
        stamps.task = Task {
            do throws(HookFailure) {
                try await runner.stamp(statement, settings, ledger: ledger)
                noteStamp(statement, publications: published, failure: nil)
            } catch {
                noteStamp(statement, publications: published, failure: error.description)
            }
        }
    }

    private func noteStamp(_ statement: LedgerStatement, publications: Int, failure: String?) {
        let interval = configuration.timestamp.interval
        stamps.task = nil
        if let failure {
            if !isStopping {
                parts.logger.warning("the ledger's head is not stamped", metadata: ["reason": "\(failure)"])
            }
            stamps.failure = failure
            stamps.dueAt = .now + min(interval, Self.longestRetry)
        } else {
            (stamps.entries, stamps.publications, stamps.failure) = (statement.entries, publications, nil)
            stamps.dueAt = .now + interval
        }
        bell.ring()
    }
}
