import Control
import Files
import Foundation
import Ledger
import Releases

extension Reconciler {
    /// The release that a hook is about: what is deployed, or for the stage canary the candidate where there is one.
    func subject(of hook: Hook) -> Release? {
        hook.stage == .canary ? candidate ?? deployed : deployed
    }

    var trialHooks: HookSchedule.Trial {
        hooks.trial(of: onTrial?.version, configuration.hooks) { subject(of: $0)?.version }
    }

    /// Starts every hook that has not succeeded for its release, each in a task of its own: neither publishing
    /// nor another hook waits for it. What still runs for an older release, or is configured otherwise now, is given
    /// up.
    ///
    /// Called after a publish, at the start and when the configuration was loaded again: a hook may run more than once
    /// for one release, and what failed is tried again.
    func startHooks() async {
        guard deployed != nil, !isStopping else { return }
        let outdated = hooks.takeOutdated(configuration.hooks) { subject(of: $0)?.version }
        for run in outdated { run.task.cancel() }
        let due = hooks.due(configuration.hooks, subject: { subject(of: $0)?.version }, done: memory.hooksDone)
        for (hook, _) in due {
            guard let release = subject(of: hook) else { continue }
            start(hook, for: release, after: outdated.first { $0.hook.name == hook.name }?.task)
        }
        for run in outdated {
            await record(
                LedgerEvent(
                    .hook, version: run.version, message: "hook \(run.hook.name) given up for release \(run.version)",
                    details: ["hook": .string(run.hook.name), "outcome": "given-up"]))
        }
    }

    /// Tries once more, at every slow rescan, what has failed and the servers that have not confirmed the release: one
    /// that was down has it soon after it is back. What comes to nothing is not in the ledger again.
    func catchUpHooks() {
        guard deployed != nil, !isStopping else { return }
        let overdue = hooks.overdue(
            configuration.hooks, every: configuration.rescan, at: .now, done: memory.hooksDone,
            subject: { subject(of: $0)?.version })
        for hook in overdue {
            guard let release = subject(of: hook) else { continue }
            var once = hook
            once.retries = 0
            start(hook, as: once, for: release, after: nil, isCatchUp: true)
        }
    }

    /// `once`: what is run in place of the hook.
    private func start(
        _ hook: Hook, as once: Hook? = nil, for release: Release, after earlier: Task<Void, Never>?,
        isCatchUp: Bool = false
    ) {
        let (runner, values, run) = (parts.hooks, trialValues(hook.name, release), once ?? hook)
        let confirmed = isCatchUp ? hooks.confirmed(hook, version: release.version) : [:]
        hooks.start(hook, version: release.version, isCatchUp: isCatchUp) { id in
            Task {
                await earlier?.value
                let began = ContinuousClock.now
                let outcome = await runner.run(
                    run, values, confirmed: confirmed,
                    onTargets: { await self.hookTargetsAnswered(hook.name, id: id, $0) },
                    onFailure: { await self.hookAttemptFailed(hook.name, id: id, $0, $1) })
                await self.hookEnded(hook, id: id, outcome, took: .now - began)
            }
        }
    }

    private func hookTargetsAnswered(_ name: String, id: Int, _ answers: [HookRunner.TargetAnswer]) {
        if hooks.note(name, id: id, answers) { watching.tell() }
    }

    private func hookAttemptFailed(_ name: String, id: Int, _ attempt: Int, _ reason: String) {
        guard hooks.fail(name, id: id, attempt: attempt, reason) else { return }
        parts.logger.warning(
            "a hook's attempt failed; it is tried again",
            metadata: ["hook": "\(name)", "attempt": "\(attempt)", "reason": "\(reason)"])
        watching.tell()
    }

    private func hookEnded(_ hook: Hook, id: Int, _ outcome: HookRunner.Outcome, took time: Duration) async {
        let name = hook.name
        guard let end = hooks.end(name, id: id, outcome) else { return }
        var details: [String: JSONValue] = [
            "hook": .string(name), "outcome": end.isDone ? "done" : "failed", "attempts": .integer(end.attempts),
            "seconds": .number(time / .seconds(1)),
        ]
        if let servers = hooks.servers(of: hook) {
            let versions = servers.map { ($0.target, $0.version.map { JSONValue.integer($0) } ?? .null) }
            details["targets"] = .object(Dictionary(versions) { $1 })
        }
        let after = end.attempts == 1 ? "" : " after \(end.attempts) attempts"
        let verb = end.isDone ? "succeeded" : "failed"
        await record(
            LedgerEvent(
                end.isDone ? .hook : .hookFailed, version: end.version,
                message: "hook \(name) \(verb) for release \(end.version)\(after): \(end.message)",
                details: details))
        bell.ring()
    }

    /// Ends what runs; the next daemon runs it again.
    func endHooks() async {
        let tasks = hooks.tasks
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        hooks.forgetRuns()
    }

    func hookStatuses() -> [DaemonStatus.Hook] {
        configuration.hooks.map {
            hooks.status(of: $0, version: subject(of: $0)?.version, done: memory.hooksDone[$0.name])
        }
    }
}
