import Files
import Foundation
import Ledger
import WorkerProtocol

extension Reconciler {
    /// Acts on how the worker ended.
    func concludeIfEnded() async {
        guard let merge = running, let outcome = merge.outcome else { return }
        defer { MemoryTrim.now() }
        if case .finished(let result) = outcome, merge.cancellation == nil {
            if let reason = outdated(merge) {
                await discard(merge)
                await cancelled(merge, reason)
            } else {
                await judge(merge, result)
            }
            running = nil
            return
        }
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
            try await Blocking.run { try store.discardStaging(staging) }
        } catch {
            parts.logger.warning("a staging directory can't be removed", metadata: ["reason": "\(error)"])
        }
    }

    func removeScratch(_ merge: RunningMerge) async {
        let scratch = merge.plan.scratch
        try? await Blocking.run { try Durable.remove(scratch) }
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
        if failure.kind == .inputChanged { looksAsked += 1 }
    }

    /// Records a failure; what is tried again waits 1 s, 2 s, 4 s … 5 min.
    func fail(_ request: MergeRequest, merge: String, cause: String, _ message: String) async {
        mergeFailure = message
        var details = MergeDetails(request).ledgerDetails
        details["cause"] = .string(cause)
        await record(LedgerEvent(.mergeFailed, merge: merge, message: "merge failed: \(message)", details: details))
        let inputs = request.inputs.fingerprint
        backOff = memory.failures[inputs].map { [inputs: .now + Self.delay(afterFailures: $0)] } ?? [:]
    }

    /// 1 s after the first failure, doubled after each, 5 min at most.
    package static func delay(afterFailures count: Int) -> Duration {
        .seconds(min(300, 1 << min(max(count - 1, 0), 9)))
    }

    private func judge(_ merge: RunningMerge, _ result: MergeResult) async {
        let verdict = Gate(maximumRegression: configuration.gate.maximumRegression)
            .judge(result, tasks: merge.plan.tasks)
        guard verdict.isPassed else {
            // Several new ones are tried alone next, and only then it shows which of them is refused.
            if merge.request.new.count < 2 { refusals += merge.request.new.first.map { [$0] } ?? ["the merge"] }
            await discard(merge)
            await removeScratch(merge)
            var details = MergeDetails(merge.request).ledgerDetails
            details["scores"] = Self.scores(verdict)
            await record(
                LedgerEvent(
                    .gated, task: merge.request.new.count == 1 ? merge.request.new[0] : nil, merge: merge.plan.merge,
                    message: "gate refused the merge of \(Self.list(merge.plan.tasks.map(\.name))): \(verdict.message)",
                    details: details))
            return
        }
        await publish(merge, result, verdict)
    }

    private func publish(_ merge: RunningMerge, _ result: MergeResult, _ verdict: GateVerdict) async {
        let record = ReleaseRecord(
            version: 0, created: Self.timestamp(), merge: merge.plan.merge, settings: merge.plan.settings,
            base: merge.plan.base, tasks: merge.plan.tasks, result: result)
        let (store, staging, base) = (parts.store, merge.plan.output, merge.plan.base.directory)
        let registry = configuration.registry
        do {
            deployed = try await heartbeat.during {
                try await Blocking.run {
                    try store.publish(staging: staging, baseDirectory: base, record: record, root: registry)
                }
            }
        } catch {
            await discard(merge)
            await fail(
                merge.request, merge: merge.plan.merge, cause: "environment", "the release can't be published: \(error)"
            )
            return
        }
        guard let deployed else { return }
        var details = publicationDetails(deployed.record, verdict: verdict)
        details.merge(MergeDetails(merge.request).ledgerDetails) { _, new in new }
        await self.record(
            LedgerEvent(
                .published, version: deployed.version, merge: merge.plan.merge,
                message: "published release \(deployed.version) with \(Self.list(merge.plan.tasks.map(\.name)))"
                    + (verdict.isJudged ? "" : " (no gate: no validation data)"),
                details: details))
        mergeFailure = nil
        backOff = [:]
        refusals.removeAll { deployed.record.tasks.map(\.name).contains($0) }
        await removeScratch(merge)
        await retire()
    }

    func retire() async {
        let (store, retain) = (parts.store, configuration.retain)
        do {
            let gone = try await Blocking.run {
                try store.retire(keep: retain.versions, grace: retain.grace, now: Date())
            }
            for version in gone {
                await record(LedgerEvent(.retired, version: version, message: "deleted old release \(version)"))
            }
        } catch {
            parts.logger.warning("old releases can't be deleted", metadata: ["reason": "\(error)"])
        }
    }

    static func timestamp() -> String { Date().formatted(.iso8601) }
}
