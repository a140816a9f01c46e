import Files
import Foundation
import Glibc
import Ledger
import Releases
import WorkerProtocol

extension Reconciler {
    /// Takes what the ledger said, and finds the deployed release.
    func recover() async throws {
        try Durable.createDirectories(configuration.merges)
        memory = parts.opening.memory
        await checkLedger(parts.opening)
        let store = parts.store
        let history = ReleaseHistory(
            memory.releases.deployments.map {
                ReleaseHistory.Step(version: $0.version, source: $0.source, isSourceKnown: $0.isSourceKnown)
            }, undeployed: memory.releases.undeployed)
        let repair = try await heartbeat.during { try await BlockingIO.run { try store.repair(history: history) } }
        deployed = repair.release
        candidate = repair.candidate
        if let reason = repair.reason {
            parts.logger.error("what is deployed had to be put right", metadata: ["reason": "\(reason)"])
        }
        await findKept()
        await forgetUnneeded()
        let own = try? await BlockingIO.run { try ReadableFile(path: "/proc/self/exe", followingLinks: true).sha256() }
        let pid = ProcessInfo.processInfo.processIdentifier
        var details: [String: JSONValue] = ["pid": .integer(Int(pid)), "user": .integer(Int(geteuid()))]
        details["executable"] = own.map { .string($0) }
        // Signed before the entry that says so: a crash between the two must not look like a signature that was taken
        // away.
        if await noteCheckpoint() { details["signed-by"] = signer }
        await record(LedgerEvent(.started, message: "daemon started", details: details))
        await recordConfiguration("configuration loaded")
        checkSigningKey()
        await recoverTrial()
        await recoverLedger(repair.reason)
        beginTrial()
        await noteCheckpoint()
        hooks.restore(memory.hookTargets)
        await startHooks()
        MemoryTrim.now()
    }

    /// `isSigned`: whether a checkpoint was signed with the key that it names.
    func recordConfiguration(_ message: String, isSigned: Bool = false) async {
        var details = Dictionary(
            ConfigurationKey.all.map { ($0.path, JSONValue.string($0.show(configuration))) }
        ) { first, _ in first }
        if isSigned { details["signed-by"] = signer }
        await record(LedgerEvent(.configurationLoaded, message: message, details: details))
    }

    /// Notes what is deployed where the ledger says otherwise: after a crash between publishing and its entry, or where
    /// somebody changed the deploy directory. `repair`: why `current` was changed at this start.
    private func recoverLedger(_ repair: String?) async {
        if let deployed, deployed.version > memory.releases.newest ?? 0 { return await enter(deployed, repair) }
        guard repair != nil || deployed?.version != memory.releases.deployed else { return }
        var details = deployed.map { publicationDetails($0, verdict: nil) } ?? [:]
        details["expected"] = memory.releases.deployed.map { .integer($0) }
        details["repair"] = repair.map { .string($0) }
        await record(
            LedgerEvent(
                .recovered, version: deployed?.version, merge: deployed?.record.merge, message: foundMessage(repair),
                details: details))
    }

    private func foundMessage(_ repair: String?) -> String {
        let (found, known) = (deployed?.version, memory.releases.deployed)
        let release = found.map { "release \($0)" } ?? "no release"
        let beginning =
            repair.map { "\($0); \(release) is deployed \(found == known ? "again" : "now")" }
            ?? "current was found at \(release)"
        guard found != known else { return beginning }
        return "\(beginning), where the ledger's last word is \(known.map { "release \($0)" } ?? "no release")"
    }

    /// Enters a release that the ledger doesn't know.
    private func enter(_ release: Release, _ repair: String?) async {
        var details = publicationDetails(release, verdict: nil)
        details["recovered"] = .bool(true)
        details["repair"] = repair.map { .string($0) }
        if configuration.rollout.watches, release.record.rollbackOf == nil, let former = memory.releases.deployed {
            let record = try? parts.store.release(former).record
            details.merge(MergeDetails(release.record, onto: record).ledgerDetails) { $1 }
            details["watched"] = .bool(true)
            details["previous"] = .integer(former)
        }
        var kind = LedgerEvent.Kind.published
        var message = "published release \(release.version) (found after a restart)"
        if let source = release.record.rollbackOf {
            details["source"] = .integer(source)
            // A release on trial that is no longer deployed was taken back by this one.
            if let recorded = memory.rollout, recorded.kind == .watch {
                let inputs = recorded.details.filter { RecordedRollout.inputKeys.contains($0.key) }
                details["rejected"] = .object(inputs)
                details["reason"] = recorded.failure.map { .string("the check failed: \($0)") }
            } else {
                details["held"] = memory.announcedContent(configuration.merge)?.ledgerValue
            }
            kind = .rolledBack
            message = "rolled back to release \(source) as release \(release.version) (found after a restart)"
        }
        await record(
            LedgerEvent(
                kind, version: release.version, merge: release.record.merge, message: message, details: details))
    }

    /// Writes an event, or keeps it until the ledger takes it; the memory learns it at once.
    func record(_ event: LedgerEvent) async {
        memory.apply(event)
        ledgerQueue.add(event)
        await flush()
    }

    /// Writes what is waiting, in order. A caller that comes while that is running waits for it: it takes the caller's
    /// events along.
    func flush() async {
        if let flushing { return await flushing.value }
        let task = Task { await writeOut() }
        flushing = task
        await task.value
    }

    private func writeOut() async {
        defer {
            flushing = nil
            watching.tell()
        }
        while let event = ledgerQueue.next {
            do {
                try await parts.ledger.append(event)
                ledgerQueue.handle(.written)
            } catch LedgerError.tooLong(_, let bytes) {
                parts.logger.warning("an entry is too long for the ledger and was cut", metadata: ["bytes": "\(bytes)"])
                ledgerQueue.handle(.tooLong)
            } catch {
                ledgerQueue.handle(.failed)
                parts.logger.error(
                    "the ledger can't be written; merging waits", metadata: ["reason": "\(error)"])
                return
            }
        }
    }
}
