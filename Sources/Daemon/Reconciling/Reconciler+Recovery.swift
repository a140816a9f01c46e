import Files
import Foundation
import Glibc
package import Ledger
import WorkerProtocol

extension Reconciler {
    /// Replays the ledger and finds the deployed release.
    func recover() async throws {
        try Durable.createDirectories(configuration.merges)
        await checkLedger()
        memory = try await parts.ledger.replay(into: memory) { memory, entry in memory.apply(entry.content) }
        let store = parts.store
        deployed = try await heartbeat.during { try await Blocking.run { try store.recover() } }
        await findKept()
        await forgetUnneeded()
        let own = try? await Blocking.run { try ReadableFile(path: "/proc/self/exe", followingLinks: true).sha256() }
        let pid = ProcessInfo.processInfo.processIdentifier
        var details: [String: JSONValue] = ["pid": .integer(Int(pid)), "user": .integer(Int(geteuid()))]
        details["executable"] = own.map { .string($0) }
        await record(LedgerEvent(.started, message: "daemon started", details: details))
        await recordConfiguration("configuration loaded")
        checkSigningKey()
        await recoverLedger()
        await noteCheckpoint()
        await startHooks()
        MemoryTrim.now()
    }

    func recordConfiguration(_ message: String) async {
        let details = Dictionary(
            ConfigurationKey.all.map { ($0.path, JSONValue.string($0.show(configuration))) }
        ) { first, _ in first }
        await record(LedgerEvent(.configurationLoaded, message: message, details: details))
    }

    /// A crash between publishing and its ledger entry leaves a release that the ledger doesn't know.
    private func recoverLedger() async {
        guard let deployed, deployed.version > memory.newestVersion ?? 0 else { return }
        var details = publicationDetails(deployed.record, verdict: nil)
        details["recovered"] = .bool(true)
        if let source = deployed.record.rollbackOf {
            details["held"] = memory.announcedContent(configuration.merge)?.ledgerValue
            await record(
                LedgerEvent(
                    .rolledBack, version: deployed.version, merge: deployed.record.merge,
                    message: "rolled back to release \(source) as release \(deployed.version) (found after a restart)",
                    details: details))
        } else {
            await record(
                LedgerEvent(
                    .published, version: deployed.version, merge: deployed.record.merge,
                    message: "published release \(deployed.version) (found after a restart)", details: details))
        }
    }

    /// Writes an event, or keeps it until the ledger takes it; the memory learns it at once.
    func record(_ event: LedgerEvent) async {
        memory.apply(event)
        eventCounts[event.kind, default: 0] += 1
        unwritten.append(event)
        await flush()
    }

    /// Writes what is waiting, in order. Whoever comes while that is under way waits for it: it takes their events along.
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
        while let event = unwritten.first {
            do {
                try await parts.ledger.append(event)
                unwritten.removeFirst()
                isLedgerFailing = false
            } catch LedgerError.tooLong(_, let bytes) {
                parts.logger.warning("an entry is too long for the ledger and was cut", metadata: ["bytes": "\(bytes)"])
                unwritten[0] = event.cut()
            } catch {
                isLedgerFailing = true
                parts.logger.error(
                    "the ledger can't be written; merging waits", metadata: ["reason": "\(error)"])
                return
            }
        }
    }
}

extension LedgerEvent {
    /// What fits on a line whatever was said: the beginning of the message, and of the details only words and figures.
    func cut() -> LedgerEvent {
        var event = self
        event.message = String(message.unicodeScalars.prefix(4096)) + " … (cut)"
        event.details = details.filter { ($0.value.scalar?.utf8.count ?? .max) <= 4096 }
        return event
    }
}

extension LedgerEntry {
    /// The entry without its place in the chain.
    package var content: LedgerEvent {
        LedgerEvent(event, task: task, version: version, merge: merge, message: message, details: details)
    }
}
