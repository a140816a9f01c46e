import Ledger
import Registry
import Tasks

extension Reconciler {
    /// When the next look is due.
    var lookDue: ContinuousClock.Instant {
        guard looksDone < looksAsked else { return min(lookRegularlyAt, lookAgainAt ?? lookRegularlyAt) }
        return isLookUrgent ? .now : lookEnded.map { $0 + Self.lookPause } ?? .now
    }

    /// Whether a look is due or under way, and has not been for long: then its result is worth waiting for.
    var isLookAwaited: Bool {
        lookTask == nil ? lookDue <= .now : .now < lookBegan + Self.lookPatience
    }

    /// Starts a look, one at a time, in a task of its own: commands and merges don't wait for it.
    func beginLookIfDue() {
        guard lookTask == nil, !isStopping, lookDue <= .now else { return }
        isLookUrgent = false
        lookNumber = looksAsked
        lookBegan = .now
        let (looker, notifier, logger) = (looker, parts.notifier, parts.logger)
        let expecting = Set(deployed?.record.tasks.map(\.name) ?? [])
        lookTask = Task {
            do {
                let scan = try await looker.look(expecting: expecting) { name, bytes in
                    logger.debug("reading a drop", metadata: ["drop": "\(name)", "bytes": "\(bytes)"])
                    notifier.status("reading \(name), \(bytes >> 20) MiB")
                }
                lookResult = .success(scan)
            } catch {
                lookResult = .failure(error)
            }
            bell.ring()
        }
    }

    /// Takes the result of a look that has ended; what changed goes into the ledger.
    func takeLook() async {
        guard let result = lookResult else { return }
        lookResult = nil
        lookTask = nil
        lookEnded = .now
        statusLine = ""
        switch result {
        case .success(let scan):
            let isFirst = snapshot == nil
            lookFailure = nil
            lookAgainAt = scan.lookAgainAfter.map { .now + $0 }
            hasUnread = scan.hasUnread
            await take(scan.snapshot)
            await reconsiderLedger()
            if isFirst { MemoryTrim.now() }
            if tidyAt <= .now {
                tidyAt = .now + configuration.rescan
                keepMissing()
                await retire()
            }
        case .failure(is CancellationError): return
        case .failure(let error):
            let message = "the registry can't be read: \(error)"
            if lookFailure != message {
                parts.logger.error("the registry can't be read", metadata: ["reason": "\(error)"])
            }
            lookFailure = message
            lookAgainAt = nil
            hasUnread = false
        }
        looksDone = max(looksDone, lookNumber)
        lookRegularlyAt = .now + configuration.rescan
    }

    private func take(_ new: RegistrySnapshot) async {
        let events = RegistryChanges.events(since: memory.announced, in: new)
        if snapshot != new { MemoryTrim.now() }
        snapshot = new
        guard !events.isEmpty else { return }
        refusals.removeAll { toldRefusals.contains($0) }
        toldRefusals = []
        mergeFailure = nil
        var counts: [LedgerEvent.Kind: Int] = [:]
        for event in events {
            counts[event.kind, default: 0] += 1
            if event.kind == .accepted { arrivals.note(.now) }
            let name = event.task ?? "base"
            refusals.removeAll { $0 == name }
            if event.kind == .refused { refusals.append(name) }
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
