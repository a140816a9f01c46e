import Foundation
import Ledger
import Releases

extension Reconciler {
    /// Deletes old releases, each after its entry: what is gone without one was deleted by somebody else.
    func retire() async {
        let (store, retain, archive) = (parts.store, configuration.retain, recordArchive)
        do {
            let (due, standing) = try await BlockingIO.run {
                let due = try store.retirable(keep: retain.versions, grace: retain.grace, now: Date())
                return (due, try store.standing())
            }
            retention.note(standing: standing, .now)
            await enterGone(standing, keep: retain.versions)
            for version in due where isGraceOver(for: version, standing) && version != memory.rollout?.previous {
                if retention.enters(version) {
                    await record(
                        LedgerEvent(.retired, version: version, message: "old release \(version) is deleted"))
                }
                if ledgerQueue.isFailing { break }
                try await BlockingIO.run {
                    try archive.keep(version, of: store)
                    try store.retire(version)
                }
            }
            try await expireRecords()
        } catch {
            parts.logger.warning("old releases can't be deleted", metadata: ["reason": "\(error)"])
        }
        await forgetUnneeded()
    }

    private var recordArchive: RecordArchive { RecordArchive(directory: configuration.records) }

    /// Deletes what described deleted releases and has stayed for long enough, each after its entry.
    private func expireRecords() async throws {
        let archive = recordArchive
        let kept = try await BlockingIO.run { try archive.kept() }
        let expired = retention.expired(kept, configuration.retain.records, .now)
        for version in expired {
            await record(
                LedgerEvent(
                    .retired, version: version, message: "the record of the deleted release \(version) is deleted",
                    details: ["record": .bool(true)]))
            guard !ledgerQueue.isFailing else { return }
            try await BlockingIO.run { try archive.remove(version) }
        }
    }

    private func isGraceOver(for version: Int, _ standing: [Int]) -> Bool {
        let successor = standing.filter { $0 > version }.min()
        let entered = successor.flatMap { memory.releases.times[$0] }.flatMap { RetentionGrace.date($0) }
        return retention.isGraceOver(for: version, configuration.retain.grace, enteredAt: entered, .now)
    }

    /// Enters releases that somebody else deleted once they are so old that they would have been deleted anyway; until
    /// then `verify` names them.
    private func enterGone(_ standing: [Int], keep: Int) async {
        let known = memory.releases.standing.union(standing).sorted().dropLast(max(keep, 1))
        for version in known where !standing.contains(version) {
            await record(
                LedgerEvent(
                    .retired, version: version, message: "old release \(version) was gone already",
                    details: ["found": .bool(false)]))
        }
    }
}
