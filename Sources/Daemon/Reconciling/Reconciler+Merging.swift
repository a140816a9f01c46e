import Files
import Ledger
import WorkerProtocol

extension Reconciler {
    /// Decides and, where a merge is due, starts it.
    func advance() async {
        retries.beginDecision()
        isDecisionPending = scans.isAwaited(.now)
        guard let snapshot, !isDecisionPending else { return }
        let decision = Planner.decide(
            snapshot: snapshot, deployed: deployed?.record, kept: kept, settings: configuration.merge, memory: memory)
        guard case .merge(let request) = decision else {
            if case .nothing(let rest) = decision { self.rest = rest }
            arrivals.close()
            return
        }
        if let reason = trialHolds(request) {
            rest = Decision.Rest(.onTrial, reason)
            arrivals.close()
            return
        }
        if ledgerQueue.isFailing {
            rest = Decision.Rest(.waiting, "the ledger can't be written; merging waits")
            return
        }
        if gatheringEnds() != nil {
            rest = Decision.Rest(.waiting, "gathering arrivals before merging")
            return
        }
        if retries.holds(request.name, .now) {
            rest = Decision.Rest(.waiting, "trying again soon: \(retries.failure ?? "the last merge failed")")
            return
        }
        await start(request)
    }

    /// Why a merge does not start while a release is on trial: it is that release's, or arrivals wait.
    private func trialHolds(_ request: MergeRequest) -> String? {
        guard let line = trialLine else { return nil }
        if let candidate, request.inputs.equals(MergeInputs(record: candidate.record)) { return line }
        return configuration.rollout.arrivals == .wait ? "\(line); what has arrived waits" : nil
    }

    private func start(_ request: MergeRequest) async {
        arrivals.close()
        let name = request.inputs.mergeName(deployed: deployed?.version)
        let scratch = "\(configuration.merges)/\(name)"
        let (store, merges) = (parts.store, configuration.merges)
        let staging: String
        do {
            staging = try await BlockingIO.run {
                for other in try Durable.list(merges) where other != name { try Durable.remove("\(merges)/\(other)") }
                try Durable.createDirectories(scratch)
                return try store.makeStaging(merge: name)
            }
        } catch {
            await fail(request, merge: name, cause: "environment", "the merge can't be prepared: \(error)")
            return
        }
        let plan = plan(request, output: staging, scratch: scratch)
        await record(
            LedgerEvent(
                .mergeStarted, merge: name, message: "merging \(Self.list(plan.tasks.map(\.name)))",
                details: MergeDetails(request).ledgerDetails))
        var merge = RunningMerge(request: request, plan: plan)
        let worker = worker
        merge.task = Task {
            let outcome = await worker.merge(plan) { event in await self.note(event, of: name) }
            self.end(outcome, of: name)
        }
        running = merge
        if isStopping { merge.task?.cancel() }
    }

    func plan(_ request: MergeRequest, output: String, scratch: String) -> MergePlan {
        MergePlan(
            merge: request.inputs.mergeName(deployed: deployed?.version), base: request.base.source,
            tasks: request.tasks, settings: configuration.merge,
            deployed: deployed.map { DeployedSource($0.record, directory: $0.directory) }, output: output,
            scratch: scratch, tree: configuration.tree)
    }

    private func note(_ event: WorkerEvent, of name: String) async {
        heartbeat.beat()
        guard running?.plan.merge == name else { return }
        switch event {
        case .started(let started):
            if let choice = started.strategy { await recordChoice(choice, of: name) }
            guard started.resumedAt > 0 else { return }
            await record(
                LedgerEvent(
                    .mergeProgress, merge: name, message: "merge resumed at step \(started.resumedAt)",
                    details: ["step": .integer(started.resumedAt)]))
        case .progress(let progress):
            running?.note(progress)
            await recordQuarter(progress, of: name)
            showProgress(progress.phase)
            tellWatchers(ofPhase: progress.phase, isLook: progress.heldOut != nil)
        default: break
        }
    }

    /// Notes what `auto` came to.
    private func recordChoice(_ choice: StrategyChoice, of name: String) async {
        guard configuration.merge.strategy == .auto || choice.strategy == .hierarchical else { return }
        await record(
            LedgerEvent(
                .mergeProgress, merge: name, message: "merging as \(choice.strategy.rawValue): \(choice.reason)",
                details: MergeDetails.of(choice)))
    }

    private func recordQuarter(_ progress: WorkerEvent.Progress, of name: String) async {
        guard progress.phase == .fitting, progress.total > 0 else { return }
        let quarters = 4 * progress.done / progress.total
        guard quarters > running?.quarters ?? 4 else { return }
        running?.quarters = quarters
        var details: [String: JSONValue] = ["step": .integer(progress.done), "steps": .integer(progress.total)]
        details["loss"] = progress.loss.map { .number($0) }
        details["held-out"] = progress.heldOut.map { .number($0) }
        await record(
            LedgerEvent(
                .mergeProgress, merge: name, message: "merge at step \(progress.done) of \(progress.total)",
                details: details))
    }

    private func end(_ outcome: WorkerOutcome, of name: String) {
        guard running?.plan.merge == name else { return }
        running?.outcome = outcome
        running?.scanRequest = scans.request(urgently: true)
        running?.scanDeadline = .now + ScanSchedule.patience
        bell.ring()
    }

    static func list(_ names: [String]) -> String {
        switch names.count {
        case 1: "task \(names[0])"
        case 2...6: "\(names.count) tasks: \(names.joined(separator: ", "))"
        default: "\(names.count) tasks"
        }
    }
}
