import Foundation
import Ledger
import Releases

extension Reconciler {
    /// Deletes old releases, each after its entry: what is gone without one was deleted by somebody else.
    func retire() async {
        let (store, retain) = (parts.store, configuration.retain)
        do {
            let (due, standing) = try await BlockingIO.run {
                let due = try store.retirable(keep: retain.versions, grace: retain.grace, now: Date())
                return (due, try store.standing())
            }
            noteSuperseded(standing)
            await enterGone(standing, keep: retain.versions)
            for version in due where isGraceOver(for: version, standing) {
                if retired.insert(version).inserted {
                    await record(
                        LedgerEvent(.retired, version: version, message: "old release \(version) is deleted"))
                }
                if isLedgerFailing { break }
                try await BlockingIO.run { try store.retire(version) }
            }
        } catch {
            parts.logger.warning("old releases can't be deleted", metadata: ["reason": "\(error)"])
        }
        await forgetUnneeded()
    }

    /// From when on this process counts; see `RetentionGrace`.
    private func noteSuperseded(_ standing: [Int]) {
        let superseded = Set(standing.sorted().dropLast())
        supersededSince = supersededSince.filter { superseded.contains($0.key) }
        for version in superseded where supersededSince[version] == nil { supersededSince[version] = .now }
    }

    private func isGraceOver(for version: Int, _ standing: [Int]) -> Bool {
        guard let since = supersededSince[version] else { return false }
        let successor = standing.filter { $0 > version }.min()
        let entered = successor.flatMap { memory.releases.times[$0] }.flatMap { RetentionGrace.date($0) }
        return RetentionGrace(configuration.retain.grace)
            .isOver(seenFor: ContinuousClock.now - since, entered: entered, now: Date())
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
