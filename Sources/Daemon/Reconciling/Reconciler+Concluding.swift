import Files
import Foundation
import Ledger
import Releases
import WorkerProtocol

extension Reconciler {
    /// Acts on how the worker ended: the gate, then the copying of the inputs in a task of its own, then the
    /// publication.
    func concludeIfEnded() async {
        guard let merge = running, let outcome = merge.outcome else { return }
        guard merge.cancellation == nil, case .finished(let result) = outcome else { return await end(merge, outcome) }
        if scans.completed < merge.scanRequest, .now < merge.scanDeadline { return }
        defer { MemoryTrim.now() }
        if let reason = outdated(merge) { return await drop(merge, reason) }
        guard let verdict = merge.verdict else { return await judge(merge, result) }
        switch merge.keeping {
        case nil: return
        case .changed(let reason): await drop(merge, reason)
        case .kept: await publish(merge, result, verdict)
        case .failed(let reason):
            warnNotKept(reason)
            await publish(merge, result, verdict, notKept: reason)
        }
    }

    private func end(_ merge: RunningMerge, _ outcome: WorkerOutcome) async {
        await discard(merge)
        running = nil
        switch outcome {
        case .finished, .cancelled: await cancelled(merge, merge.cancellation ?? "stopped")
        case .failed(let failure): await fail(merge, failure)
        case .crashed(let message):
            if let reason = merge.cancellation {
                await cancelled(merge, reason)
            } else {
                await fail(merge.request, merge: merge.plan.merge, cause: "crash", message)
            }
        }
        MemoryTrim.now()
    }

    /// Throws away a candidate whose inputs are no longer what is there.
    private func drop(_ merge: RunningMerge, _ reason: String) async {
        await discard(merge)
        running = nil
        await cancelled(merge, reason)
        wakeUrgently()
    }

    private func cancelled(_ merge: RunningMerge, _ reason: String) async {
        await record(
            LedgerEvent(
                .mergeCancelled, merge: merge.plan.merge, message: "merge stopped: \(reason)",
                details: MergeDetails(merge.request).ledgerDetails))
    }

    func discard(_ merge: RunningMerge) async {
        let (store, staging) = (parts.store, merge.plan.output)
        do {
            try await BlockingIO.run { try store.discardStaging(staging) }
        } catch {
            parts.logger.warning("a staging directory can't be removed", metadata: ["reason": "\(error)"])
        }
    }

    func removeScratch(_ merge: RunningMerge) async {
        let scratch = merge.plan.scratch
        try? await BlockingIO.run { try Durable.remove(scratch) }
    }

    private func fail(_ merge: RunningMerge, _ failure: WorkerEvent.Failure) async {
        let name = merge.plan.merge
        if failure.kind == .badTask, let task = failure.task, let digest = merge.request.inputs.tasks[task] {
            refusals.note(task)
            var details = MergeDetails(merge.request).ledgerDetails
            details["source"] = "worker"
            details["digest"] = .string(digest)
            details["code"] = .string(failure.kind.rawValue)
            await record(
                LedgerEvent(
                    .refused, task: task, merge: name, message: "task \(task) refused: \(failure.message)",
                    details: details))
            await removeScratch(merge)
            return
        }
        await fail(merge.request, merge: name, cause: failure.kind.rawValue, failure.message)
        if failure.kind == .inputChanged {
            await findKept()
            wakeUrgently()
        }
    }

    /// Records a failure; what is tried again waits 1 s, 2 s, 4 s … 5 min.
    func fail(_ request: MergeRequest, merge: String, cause: String, _ message: String) async {
        retries.fail(message)
        var details = MergeDetails(request).ledgerDetails
        details["cause"] = .string(cause)
        await record(LedgerEvent(.mergeFailed, merge: merge, message: "merge failed: \(message)", details: details))
        let name = request.name
        retries.wait(name, for: memory.failures[name].map(parts.retryDelay), .now)
    }

    /// 1 s after the first failure, doubled after each, 5 min at most.
    package static func delay(afterFailures count: Int) -> Duration {
        .seconds(min(300, 1 << min(max(count - 1, 0), 9)))
    }

    private func judge(_ merge: RunningMerge, _ result: MergeResult) async {
        let verdict = Gate(configuration.gate)
            .judge(result, tasks: merge.plan.tasks, requiresScores: merge.plan.settings.method.needsExamples)
        if let settings = configuration.gate.command, verdict.isPassed || settings.isAlone {
            if let outcome = merge.command { return await conclude(merge, outcome, verdict) }
            if !merge.isAsking { askGateCommand(settings, merge, verdict) }
            return
        }
        guard verdict.isPassed else { return await refuse(merge, verdict) }
        running?.verdict = verdict
        keepInputs(of: merge)
    }

    func refuse(_ merge: RunningMerge, _ verdict: GateVerdict) async {
        refusals.note(mergeOf: merge.request.new)
        await discard(merge)
        await removeScratch(merge)
        running = nil
        var details = MergeDetails(merge.request).ledgerDetails
        details["scores"] = Self.scores(verdict)
        details["command"] = verdict.command.map(Self.command)
        await record(
            LedgerEvent(
                .gated, task: merge.request.new.count == 1 ? merge.request.new[0] : nil, merge: merge.plan.merge,
                message: "gate refused the merge of \(Self.list(merge.plan.tasks.map(\.name))): \(verdict.decision)",
                details: details))
    }

    private func publish(
        _ merge: RunningMerge, _ result: MergeResult, _ verdict: GateVerdict, notKept: String? = nil
    ) async {
        let record = ReleaseRecord(
            version: 0, created: Self.timestamp(), merge: merge.plan.merge, settings: merge.plan.settings,
            base: merge.plan.base, tasks: merge.plan.tasks, result: result, ledger: await ledgerHead(),
            gate: verdict.record)
        let (store, staging, base) = (signingStore, merge.plan.output, merge.plan.base.directory)
        let registry = configuration.registry
        let events = await refusedSinceRelease()
        let isCandidate = configuration.rollout.strategy == .canary && deployed != nil
        let release: Release
        do {
            release = try await heartbeat.during {
                try await BlockingIO.run {
                    try store.publish(
                        staging: staging, baseDirectory: base, record: record, root: registry, events: events,
                        isCandidate: isCandidate)
                }
            }
        } catch {
            await discard(merge)
            running = nil
            await fail(
                merge.request, merge: merge.plan.merge, cause: Self.cause(ofPublishing: error),
                "the release can't be published: \(error)")
            return
        }
        running = nil
        var details = publicationDetails(release, verdict: verdict)
        details.merge(MergeDetails(merge.request).ledgerDetails) { _, new in new }
        details["signed-by"] = signer
        details["not-kept"] = notKept.map { .string($0) }
        if !result.notes.isEmpty { details["notes"] = .array(result.notes.map { .string($0) }) }
        let ungated = result.notes.isEmpty ? "no gate: no validation data" : "no gate"
        let notes = (verdict.isJudged ? [] : [ungated]) + result.notes
        let note = notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))"
        if isCandidate {
            await replaceCandidate(by: release)
            await recordCandidate(release, details, note: note)
        } else {
            let former = memory.rollout?.previous ?? deployed?.version
            deployed = release
            await findKept()
            // The first has none to go back to.
            details["watched"] = .bool(configuration.rollout.watches && former != nil)
            details["previous"] = former.map { .integer($0) }
            await self.record(
                LedgerEvent(
                    .published, version: release.version, merge: merge.plan.merge,
                    message:
                        "published release \(release.version) with \(Self.list(merge.plan.tasks.map(\.name)))\(note)",
                    details: details))
        }
        beginTrial()
        await noteCheckpoint()
        await startHooks()
        retries.clear(waiting: true)
        refusals.forget(mergeOf: merge.request.new)
        await removeScratch(merge)
        await retire()
    }

    /// A base that can't be passed on stays so until it changes; one that changed is looked at again. A worker that
    /// leaves something else than it says has failed like one that crashes.
    private static func cause(ofPublishing error: any Error) -> String {
        switch error as? ReleasesError {
        case .badBase: "bad-base"
        case .baseChanged: "input-changed"
        case .badCandidate: "crash"
        default: "environment"
        }
    }

    static func timestamp() -> String { Date().formatted(.iso8601) }
}
