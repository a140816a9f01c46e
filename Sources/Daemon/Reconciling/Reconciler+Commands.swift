import Files
package import Control
import Ledger
import Registry
import Releases
import Tasks

extension Reconciler {
    /// Looks at the registry; with `wait`, answers when everything that can be merged now is merged or refused.
    package func rescan(wait: Bool) async -> ActionReply {
        let request = scans.request(urgently: true)
        bell.ring()
        guard wait, !isStopping else { return reply(.done, "looking at the registry") }
        return await withCheckedContinuation { waiters.add($0, request: request, .now) }
    }

    package func pause() async -> ActionReply {
        await act("pause", "merging paused by the operator") {
            $0.cancel("paused by the operator")
            return "merging is paused"
        }
    }

    package func resume() async -> ActionReply {
        await act("resume", "merging resumed by the operator") { _ in "merging goes on" }
    }

    /// Gives a task that was set aside another chance, and with it whatever else failed or was refused. Where there is
    /// nothing of that kind, it says so and does nothing.
    package func retry(_ task: String) async -> ActionReply {
        let caller = PeerCredentials.details
        return await command { reconciler in
            guard let drop = reconciler.snapshot?.tasks[task] else {
                return reconciler.reply(.failed, "no task \(task) in the registry")
            }
            let isAside = reconciler.isLeftOut(task, drop)
            guard isAside || reconciler.memory.hasFailed || reconciler.retries.isBackingOff else {
                let reason = reconciler.condition(of: task, drop)
                let outcome: ActionReply.Outcome = if case .refused = drop { .failed } else { .done }
                return reconciler.reply(outcome, "task \(task) is not set aside: \(reason)")
            }
            let message =
                isAside
                ? "task \(task) is tried again"
                : "task \(task) was not set aside; what failed or was refused is tried again"
            return await reconciler.perform("retry", message, task: task, caller) {
                $0.retries.clear(waiting: true)
                $0.refusals.forgetAll()
                return message
            }
        }
    }

    /// Whether something is known against what a task holds now.
    private func isLeftOut(_ task: String, _ drop: Upload<AcceptedTask>) -> Bool {
        guard case .accepted(let accepted) = drop, case .accepted(let base) = snapshot?.base else { return false }
        let digest = accepted.source.digest
        let contexts = MergeInputs(base: base.source.digest, tasks: [:], settings: configuration.merge).contexts
        return memory.setAside(task, digest: digest, contexts: contexts) != nil
            || memory.retryIndividually[task] == digest
    }

    /// Why a task that is not set aside is where it is.
    private func condition(of task: String, _ drop: Upload<AcceptedTask>) -> String {
        switch drop {
        case .refused(let refusal): return "its files are refused, which a change of them ends: \(refusal.message)"
        case .arriving(let reason): return "it is still arriving: \(reason)"
        case .missing: return "its folder is gone"
        case .accepted(let accepted):
            let digest = accepted.source.digest
            if running?.request.inputs.tasks[task] == digest { return "it is being merged" }
            let isDeployed = deployed?.record.tasks.contains { $0.name == task && $0.digest == digest } ?? false
            return isDeployed ? "it is deployed" : "it waits for the next merge"
        }
    }

    /// Publishes an older release's content under a new number and holds the registry's present content back. Where
    /// that release is deployed, it says so and does nothing.
    package func rollback(to version: Int) async -> ActionReply {
        let caller = PeerCredentials.details
        return await command { reconciler in
            guard reconciler.deployed?.version != version else {
                return reconciler.reply(.done, "release \(version) is deployed already")
            }
            if version == reconciler.candidate?.version {
                return reconciler.reply(
                    .failed, "release \(version) is the candidate: 'supermergectl promote \(version)' deploys it")
            }
            reconciler.cancel("rollback to release \(version)")
            if let merge = reconciler.running {
                await merge.task?.value
                await reconciler.concludeIfEnded()
            }
            if let recorded = reconciler.memory.rollout, recorded.kind == .canary {
                let answer = await reconciler.rejectCandidate(
                    recorded, "rolled back to release \(version) by the operator", caller, isBlamed: false)
                guard answer.outcome == .done else { return answer }
            }
            return await reconciler.performRollback(version, caller)
        }
    }

    /// `rejected`: the release on trial that it takes back, and why; what was new in it is held back in place of
    /// everything that is in the registry.
    func performRollback(
        _ version: Int, _ caller: [String: JSONValue], of rejected: RecordedRollout? = nil, because reason: String = ""
    ) async -> ActionReply {
        let (store, created) = (signingStore, Self.timestamp())
        let (events, head) = (await refusedSinceRelease(), await ledgerHead())
        do {
            let release = try await heartbeat.during {
                try await BlockingIO.run {
                    try store.rollback(to: version, created: created, ledger: head, events: events)
                }
            }
            deployed = release
            await findKept()
            var details = publicationDetails(release, verdict: nil)
            if let rejected {
                let inputs = rejected.details.filter { RecordedRollout.inputKeys.contains($0.key) }
                details["rejected"] = .object(inputs.merging(["version": .integer(rejected.version)]) { $1 })
                details["reason"] = .string(reason)
                refusals.note(mergeOf: rejected.new)
            } else {
                details["held"] = memory.announcedContent(configuration.merge)?.ledgerValue
            }
            details["source"] = .integer(version)
            details["signed-by"] = signer
            details.merge(caller) { $1 }
            let why = rejected.map { ": release \($0.version): \(reason)" } ?? ""
            let message = "rolled back to release \(version) as release \(release.version)\(why)"
            await record(
                LedgerEvent(
                    .rolledBack, version: release.version, merge: release.record.merge, message: message,
                    details: details))
            endTrial()
            await noteCheckpoint()
            await startHooks()
            await retire()
            return reply(.done, message)
        } catch {
            return reply(.failed, "release \(version) can't be rolled back to: \(error)")
        }
    }

    /// Takes a changed configuration over; keys that can't change under a running daemon are refused.
    package func reload(_ result: Result<Configuration, ConfigurationError>) async {
        parts.notifier.reloading()
        switch result {
        case .failure(let error): await reject("\(error)")
        case .success(let new):
            let fixed = new.fixedKeysChanged(from: configuration)
            if fixed.isEmpty {
                configuration = new
                scanTask?.cancel()
                looker = parts.makeLooker(new)
                worker = parts.makeWorker(new)
                await recordConfiguration("configuration loaded again", isSigned: await noteCheckpoint())
                await noteCheckpoint()
                checkSigningKey()
                await startHooks()
            } else {
                await reject("\(fixed.joined(separator: ", ")) changed; restart the daemon for that")
            }
        }
        parts.notifier.ready()
        wakeUrgently()
    }

    private func reject(_ reason: String) async {
        await record(
            LedgerEvent(
                .configurationRejected, message: "configuration kept as it was: \(reason)",
                details: ["reason": .string(reason)]))
    }

    private func act(
        _ action: String, _ message: String,
        _ effect: @escaping @Sendable (isolated Reconciler) -> String
    ) async -> ActionReply {
        let caller = PeerCredentials.details
        return await command { await $0.perform(action, message, caller, effect) }
    }

    /// Notes what the operator wants and who asked for it, and does it.
    private func perform(
        _ action: String, _ message: String, task: String? = nil, _ caller: [String: JSONValue],
        _ effect: (isolated Reconciler) -> String
    ) async -> ActionReply {
        let details = caller.merging(["action": .string(action)]) { $1 }
        await record(LedgerEvent(.operatorAction, task: task, message: message, details: details))
        let message = effect(self)
        guard !ledgerQueue.isFailing else {
            return reply(.failed, "\(message), but the ledger can't be written: a restart forgets it")
        }
        return reply(.done, message)
    }

    /// Runs a command in the loop, so that it never meets a half-done publish.
    func command(
        _ work: @escaping @Sendable (isolated Reconciler) async -> ActionReply
    ) async -> ActionReply {
        guard !isStopping else { return reply(.failed, "the daemon is stopping") }
        return await withCheckedContinuation { continuation in
            commands.append { reconciler in
                let answer =
                    reconciler.isStopping
                    ? reconciler.reply(.failed, "the daemon is stopping") : await work(reconciler)
                continuation.resume(returning: answer)
            }
            bell.ring()
        }
    }

    /// Answers those who wait for the registry's content to be merged or refused.
    func answerWaiters() {
        guard running == nil, !isDecisionPending, commands.isEmpty, !waiters.isEmpty else { return }
        let due = waiters.take(
            after: scans, isGathering: gatheringEnds() != nil, patience: settlingPatience, .now)
        guard !due.isEmpty else { return }
        let answer = outcomeReply()
        refusals.tell()
        for waiter in due { waiter.resume(returning: answer) }
    }

    private func outcomeReply() -> ActionReply {
        if let failure = scans.failure { return reply(.failed, failure) }
        if ledgerQueue.isFailing { return reply(.failed, "the ledger can't be written; merging waits") }
        if !refusals.sorted.isEmpty {
            let names = refusals.sorted.joined(separator: ", ")
            return reply(.refused, "refused: \(names) ('supermergectl history' says why); the rest: \(rest.message)")
        }
        if let failure = retries.failure { return reply(.failed, failure) }
        return reply(.done, rest.message)
    }

    func reply(_ outcome: ActionReply.Outcome, _ message: String) -> ActionReply {
        ActionReply(outcome, message, version: deployed?.version)
    }
}
