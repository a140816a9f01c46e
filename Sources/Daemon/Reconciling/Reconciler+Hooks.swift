import Control
import Foundation
import Ledger
import Releases

extension Reconciler {
    /// Starts every hook that has not succeeded for the deployed release, each in a task of its own: neither publishing
    /// nor another hook waits for it. What still runs for an older release, or is configured otherwise now, is given
    /// up.
    ///
    /// Called after a publish, at the start and when the configuration was loaded again: a hook may run more than once
    /// for one release, and what failed is tried again.
    func startHooks() async {
        guard let deployed, !isStopping else { return }
        var outdated: [String: HookRun] = [:]
        for (name, run) in hookRuns where run.version != deployed.version || !configuration.hooks.contains(run.hook) {
            run.task.cancel()
            hookRuns[name] = nil
            outdated[name] = run
        }
        hookResults = hookResults.filter { $0.value.version == deployed.version && $0.value.state == .done }
        for hook in configuration.hooks where hookRuns[hook.name] == nil && !memory.hooksDone.contains(hook.name) {
            hookResults[hook.name] = nil
            start(hook, for: deployed, after: outdated[hook.name]?.task)
        }
        for run in outdated.values.sorted(by: { $0.hook.name < $1.hook.name }) {
            await record(
                LedgerEvent(
                    .hook, version: run.version, message: "hook \(run.hook.name) given up for release \(run.version)",
                    details: ["hook": .string(run.hook.name), "outcome": "given-up"]))
        }
    }

    private func start(_ hook: Hook, for release: Release, after earlier: Task<Void, Never>?) {
        hookNumber += 1
        let (id, runner) = (hookNumber, parts.hooks)
        let previous = (try? parts.store.standing())?.filter { $0 < release.version }.max()
        let values = HookValues(hook.name, release, deploy: configuration.deploy, previous: previous)
        let task = Task {
            await earlier?.value
            let began = ContinuousClock.now
            let outcome = await runner.run(hook, values) { attempt, reason in
                await self.hookAttemptFailed(hook.name, id: id, attempt, reason)
            }
            await self.hookEnded(hook.name, id: id, outcome, took: .now - began)
        }
        hookRuns[hook.name] = HookRun(hook: hook, version: release.version, id: id, task: task)
    }

    private func hookAttemptFailed(_ name: String, id: Int, _ attempt: Int, _ reason: String) {
        guard hookRuns[name]?.id == id else { return }
        hookRuns[name]?.failures = attempt
        hookRuns[name]?.message = reason
        parts.logger.warning(
            "a hook's attempt failed; it is tried again",
            metadata: ["hook": "\(name)", "attempt": "\(attempt)", "reason": "\(reason)"])
        watching.tell()
    }

    private func hookEnded(_ name: String, id: Int, _ outcome: HookRunner.Outcome, took time: Duration) async {
        guard let run = hookRuns[name], run.id == id else { return }
        let (isDone, attempts, said): (Bool, Int, String)
        switch outcome {
        case .cancelled: return
        case .done(let count, let message): (isDone, attempts, said) = (true, count, message)
        case .failed(let count, let message): (isDone, attempts, said) = (false, count, message)
        }
        hookRuns[name] = nil
        hookResults[name] = DaemonStatus.Hook(
            name, isDone ? .done : .failed, version: run.version, attempts: attempts, message: said)
        let after = attempts == 1 ? "" : " after \(attempts) attempts"
        let verb = isDone ? "succeeded" : "failed"
        await record(
            LedgerEvent(
                isDone ? .hook : .hookFailed, version: run.version,
                message: "hook \(name) \(verb) for release \(run.version)\(after): \(said)",
                details: [
                    "hook": .string(name), "outcome": isDone ? "done" : "failed", "attempts": .integer(attempts),
                    "seconds": .number(time / .seconds(1)),
                ]))
    }

    /// Ends what runs; the next daemon runs it again.
    func endHooks() async {
        let runs = Array(hookRuns.values)
        for run in runs { run.task.cancel() }
        for run in runs { await run.task.value }
        hookRuns = [:]
    }

    func hookStatuses() -> [DaemonStatus.Hook] {
        configuration.hooks.map { hook in
            if let run = hookRuns[hook.name] {
                return DaemonStatus.Hook(
                    hook.name, .running, version: run.version, attempts: run.failures, message: run.message)
            }
            if let result = hookResults[hook.name] { return result }
            let isDone = deployed != nil && memory.hooksDone.contains(hook.name)
            return DaemonStatus.Hook(hook.name, isDone ? .done : .waiting, version: deployed?.version)
        }
    }
}
