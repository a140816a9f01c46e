import Ledger
import Registry
import Tasks

extension Reconciler {
    /// Starts a scan, one at a time, in a task of its own: commands and merges don't wait for it.
    func beginScanIfDue() {
        guard !isStopping, scans.begin(.now) else { return }
        let (looker, notifier, logger) = (looker, parts.notifier, parts.logger)
        let expecting = Set(deployed?.record.tasks.map(\.name) ?? [])
        scanTask = Task {
            do {
                let scan = try await looker.look(expecting: expecting) { name, bytes in
                    logger.debug("reading an upload", metadata: ["drop": "\(name)", "bytes": "\(bytes)"])
                    notifier.status("reading \(name), \(bytes >> 20) MiB")
                }
                scanResult = .success(scan)
            } catch {
                scanResult = .failure(error)
            }
            bell.ring()
        }
    }

    /// Takes the result of a scan that has ended; what changed goes into the ledger.
    func takeScan() async {
        guard let result = scanResult else { return }
        (scanResult, scanTask) = (nil, nil)
        statusLine.forget()
        let interval = configuration.rescan
        switch result {
        case .success(let scan):
            let isFirst = snapshot == nil
            scans.end(.finished(again: scan.lookAgainAfter, hasUnread: scan.hasUnread), .now, interval: interval)
            await take(scan.snapshot)
            await reconsiderLedger()
            if isFirst { MemoryTrim.now() }
            if scans.takesCleanUp(.now, interval: interval) {
                keepMissing()
                await retire()
            }
        case .failure(is CancellationError): scans.end(.cancelled, .now, interval: interval)
        case .failure(let error):
            guard scans.end(.failed("the registry can't be read: \(error)"), .now, interval: interval) else { return }
            parts.logger.error("the registry can't be read", metadata: ["reason": "\(error)"])
        }
    }

    private func take(_ new: RegistrySnapshot) async {
        let events = RegistryChanges.events(since: memory.announced, in: new)
        if snapshot != new { MemoryTrim.now() }
        snapshot = new
        guard !events.isEmpty else { return }
        refusals.forgetTold()
        retries.clear(waiting: false)
        var counts: [LedgerEvent.Kind: Int] = [:]
        for event in events {
            counts[event.kind, default: 0] += 1
            if event.kind == .accepted { arrivals.note(.now) }
            let name = event.task ?? "base"
            refusals.forget(name)
            if event.kind == .refused { refusals.note(name) }
            await record(event)
        }
        let kinds: [LedgerEvent.Kind] = [.accepted, .refused, .removed]
        let parts = kinds.compactMap { kind in counts[kind].map { "\($0) \(kind.rawValue)" } }
        await record(
            LedgerEvent(
                .scanned, message: "registry looked at: \(parts.joined(separator: ", "))",
                details: [
                    "accepted": .integer(counts[.accepted] ?? 0), "refused": .integer(counts[.refused] ?? 0),
                    "removed": .integer(counts[.removed] ?? 0),
                ]))
    }

    /// Stops the running merge if one of its inputs changed or vanished; other arrivals wait for the next round.
    func cancelIfOutdated() {
        guard let merge = running, merge.cancellation == nil, let reason = outdated(merge) else { return }
        cancel(reason)
    }

    func cancel(_ reason: String) {
        running?.cancellation = reason
        running?.task?.cancel()
    }

    /// Why the inputs of a merge are no longer what the registry and the configuration say.
    func outdated(_ merge: RunningMerge) -> String? {
        guard let snapshot, scans.failure == nil else { return nil }
        guard case .accepted(let base) = snapshot.base, base.source.digest == merge.request.inputs.base else {
            return "the base model changed"
        }
        let settings = MergeInputs(base: "", tasks: [:], settings: configuration.merge).settings
        if settings != merge.request.inputs.settings { return "the settings changed" }
        for task in merge.request.tasks {
            guard let drop = snapshot.tasks[task.name], drop != .missing else { return "task \(task.name) was removed" }
            if kept[task.name] == task { continue }
            guard case .accepted(let now) = drop, now.source == task else { return "task \(task.name) changed" }
        }
        let back = deployed?.record.tasks.first { task in
            merge.request.inputs.tasks[task.name] == nil && (snapshot.tasks[task.name] ?? .missing) != .missing
        }
        return back.map { "task \($0.name) is back" }
    }
}
