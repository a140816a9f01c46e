import Ledger
import Registry

extension Reconciler {
    /// One look at the registry; what changed goes into the ledger.
    func look() async {
        let wanted = looksAsked
        lookAgainAt = nil
        let looker = looker
        do {
            let (notifier, logger) = (parts.notifier, parts.logger)
            let task = Task {
                try await looker.look { name, bytes in
                    logger.debug("reading a drop", metadata: ["drop": "\(name)", "bytes": "\(bytes)"])
                    notifier.status("reading \(name), \(bytes >> 20) MiB")
                }
            }
            statusLine = ""
            lookTask = task
            if isStopping { task.cancel() }
            defer { lookTask = nil }
            let scan = try await heartbeat.during { try await task.value }
            lookFailure = nil
            lookAgainAt = scan.lookAgainAfter.map { .now + $0 }
            await take(scan.snapshot)
        } catch is CancellationError {
            return
        } catch {
            let message = "the registry can't be read: \(error)"
            if lookFailure != message {
                parts.logger.error("the registry can't be read", metadata: ["reason": "\(error)"])
            }
            lookFailure = message
        }
        looksDone = max(looksDone, wanted)
        lookRegularlyAt = .now + configuration.rescan
    }

    private func take(_ new: RegistrySnapshot) async {
        let events = RegistryChanges.events(since: memory.announced, in: new)
        if snapshot != new { MemoryTrim.now() }
        snapshot = new
        guard !events.isEmpty else { return }
        refusals = []
        mergeFailure = nil
        var counts: [LedgerEvent.Kind: Int] = [:]
        for event in events {
            counts[event.kind, default: 0] += 1
            if event.kind == .accepted { arrivals.note(.now) }
            if event.kind == .refused { refusals.append(event.task ?? "base") }
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
        guard let snapshot, lookFailure == nil else { return nil }
        guard case .accepted(let base) = snapshot.base, base.source.digest == merge.request.inputs.base else {
            return "the base model changed"
        }
        let settings = MergeInputs(base: "", tasks: [:], settings: configuration.merge).settings
        if settings != merge.request.inputs.settings { return "the settings changed" }
        for task in merge.request.tasks {
            guard case .accepted(let now) = snapshot.tasks[task.source.name] else {
                return "task \(task.source.name) changed or was removed"
            }
            if now.source != task.source { return "task \(task.source.name) changed" }
        }
        return nil
    }
}
