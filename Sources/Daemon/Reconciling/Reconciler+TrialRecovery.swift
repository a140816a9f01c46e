import Files
import Ledger
import Releases
import WorkerProtocol

extension Reconciler {
    /// Brings the ledger's word on a trial into agreement with what the deploy directory shows after a restart, before
    /// it goes on. `current` and `candidate` are right, whatever the ledger knows: each is switched in one step before
    /// its entry.
    func recoverTrial() async {
        if let recorded = memory.rollout, recorded.kind == .canary { await settle(recorded) }
        if let release = candidate, memory.rollout?.version != release.version { await enterCandidate(release) }
    }

    private func settle(_ recorded: RecordedRollout) async {
        if deployed?.version == recorded.version, let release = deployed {
            var details = publicationDetails(release, verdict: nil)
            for key in ["new", "without-new"] { details[key] = recorded.details[key] ?? details[key] }
            details["kind"] = .string(recorded.kind.rawValue)
            details["recovered"] = .bool(true)
            await record(
                LedgerEvent(
                    .promoted, version: recorded.version, merge: release.record.merge,
                    message: "release \(recorded.version) promoted (found after a restart)", details: details))
        } else if candidate?.version != recorded.version {
            let isReplaced = candidate != nil
            let reason =
                recorded.failure.map { "the check failed: \($0) (found after a restart)" }
                ?? (isReplaced
                    ? "a newer candidate took its place (found after a restart)"
                    : "`candidate` was gone after a restart")
            await recordRejection(recorded, reason, [:], isBlamed: !isReplaced)
        }
    }

    /// Enters a candidate that the ledger doesn't know. One that it knows otherwise, such as one that was rejected, is
    /// none: its link is removed.
    private func enterCandidate(_ release: Release) async {
        guard release.version > memory.releases.newest ?? 0 else {
            let store = parts.store
            try? await BlockingIO.run { try store.dropCandidate() }
            candidate = nil
            return
        }
        var details = publicationDetails(release, verdict: nil)
        details.merge(MergeDetails(release.record, onto: deployed?.record).ledgerDetails) { $1 }
        details["recovered"] = .bool(true)
        await recordCandidate(release, details, note: " (found after a restart)")
    }

    func recordCandidate(_ release: Release, _ details: [String: JSONValue], note: String) async {
        var details = details
        details["previous"] = deployed.map { .integer($0.version) }
        await record(
            LedgerEvent(
                .canaryStarted, version: release.version, merge: release.record.merge,
                message: "release \(release.version) is the candidate, with "
                    + "\(Self.list(release.record.tasks.map(\.name)))\(note)", details: details))
    }
}
