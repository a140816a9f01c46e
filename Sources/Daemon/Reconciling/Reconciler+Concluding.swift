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
        if looksDone < merge.lookWanted, .now < merge.lookDeadline { return }
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
            refusals.append(task)
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
        mergeFailure = message
        var details = MergeDetails(request).ledgerDetails
        details["cause"] = .string(cause)
        await record(LedgerEvent(.mergeFailed, merge: merge, message: "merge failed: \(message)", details: details))
        let inputs = request.inputs.fingerprint
        backOff = memory.failures[inputs].map { [inputs: .now + parts.retryDelay($0)] } ?? [:]
    }

    /// 1 s after the first failure, doubled after each, 5 min at most.
    package static func delay(afterFailures count: Int) -> Duration {
        .seconds(min(300, 1 << min(max(count - 1, 0), 9)))
    }

    private func judge(_ merge: RunningMerge, _ result: MergeResult) async {
        let verdict = Gate(configuration.gate)
            .judge(result, tasks: merge.plan.tasks, requiresScores: merge.plan.settings.method.needsExamples)
        guard !verdict.isPassed else {
            running?.verdict = verdict
            return keepInputs(of: merge)
        }
        // Several new ones are tried alone next, and only then it shows which of them is refused.
        if merge.request.new.count < 2 { refusals += merge.request.new.first.map { [$0] } ?? [Self.wholeMerge] }
        await discard(merge)
        await removeScratch(merge)
        running = nil
        var details = MergeDetails(merge.request).ledgerDetails
        details["scores"] = Self.scores(verdict)
        await record(
            LedgerEvent(
                .gated, task: merge.request.new.count == 1 ? merge.request.new[0] : nil, merge: merge.plan.merge,
                message: "gate refused the merge of \(Self.list(merge.plan.tasks.map(\.name))): \(verdict.message)",
                details: details))
    }

    private func publish(
        _ merge: RunningMerge, _ result: MergeResult, _ verdict: GateVerdict, notKept: String? = nil
    ) async {
        let record = ReleaseRecord(
            version: 0, created: Self.timestamp(), merge: merge.plan.merge, settings: merge.plan.settings,
            base: merge.plan.base, tasks: merge.plan.tasks, result: result, ledger: await ledgerHead())
        let (store, staging, base) = (signingStore, merge.plan.output, merge.plan.base.directory)
        let registry = configuration.registry
        let events = await refusedSinceRelease()
        let release: Release
        do {
            release = try await heartbeat.during {
                try await BlockingIO.run {
                    try store.publish(
                        staging: staging, baseDirectory: base, record: record, root: registry, events: events)
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
        deployed = release
        running = nil
        await findKept()
        var details = publicationDetails(release, verdict: verdict)
        details.merge(MergeDetails(merge.request).ledgerDetails) { _, new in new }
        details["signed-by"] = signer
        details["not-kept"] = notKept.map { .string($0) }
        if !result.notes.isEmpty { details["notes"] = .array(result.notes.map { .string($0) }) }
        let ungated = result.notes.isEmpty ? "no gate: no validation data" : "no gate"
        let notes = (verdict.isJudged ? [] : [ungated]) + result.notes
        await self.record(
            LedgerEvent(
                .published, version: release.version, merge: merge.plan.merge,
                message: "published release \(release.version) with \(Self.list(merge.plan.tasks.map(\.name)))"
                    + (notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))"),
                details: details))
        await noteCheckpoint()
        await startHooks()
        mergeFailure = nil
        backOff = [:]
        refusals.removeAll { merge.request.new.contains($0) || $0 == Self.wholeMerge }
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
