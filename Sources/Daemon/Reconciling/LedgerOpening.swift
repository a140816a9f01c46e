import Files
package import Ledger
package import Releases
import Signing

/// The daemon's ledger, and everything that one walk along it gave: what the planner remembers, and the digests that
/// releases and the signed checkpoint are compared with.
package struct LedgerOpening: Sendable {
    package let ledger: Ledger
    let memory: PlannerMemory
    let digests: LedgerDigests
    /// What the releases noted of the ledger; nil where they can't be read.
    let checkpoints: [LedgerCheckpoint]?

    /// Throws where the ledger can't be used.
    package init(
        _ configuration: Configuration, _ store: ReleaseStore, calls: LedgerCalls = LedgerCalls(),
        now: (@Sendable () -> Int64)? = nil
    ) throws(LedgerError) {
        checkpoints = try? Self.checkpoints(store)
        var counts = Set((checkpoints ?? []).map(\.entries))
        if let signed = try? Self.signedCheckpoint(configuration) { counts.insert(signed.checkpoint.entries) }
        let opened = try OpenedLedger(
            path: configuration.ledger, calls: calls, now: now, into: PlannerMemory(), noting: counts
        ) { memory, entry in memory.apply(entry.content, time: entry.time) }
        (ledger, memory, digests) = (opened.ledger, opened.state, opened.digests)
    }

    /// What the releases noted of the ledger.
    static func checkpoints(_ store: ReleaseStore) throws -> [LedgerCheckpoint] {
        try store.readableReleases().compactMap { release in
            release.record.ledger.map {
                LedgerCheckpoint(entries: $0.entries, digest: $0.digest, source: "release \(release.version)")
            }
        }
    }

    /// The signed checkpoint in the deploy directory, with what names its key; nil where there is none, or no key that
    /// can be read. Throws where it does not hold.
    static func signedCheckpoint(
        _ configuration: Configuration
    ) throws -> (checkpoint: LedgerCheckpoint, key: String)? {
        guard let key = try? KeyPlace(configuration.signing.key)?.read() else { return nil }
        let path = "\(configuration.deploy)/\(SignedHead.fileName)"
        guard try FileStatus.ifPresent(path) != nil else { return nil }
        let head = try SignedHead.open(
            Durable.contents(path, limit: SignedHead.longest), key: key.verification, path: path)
        let checkpoint = LedgerCheckpoint(entries: head.entries, digest: head.digest, source: SignedHead.fileName)
        return (checkpoint, key.verification.hint)
    }
}
