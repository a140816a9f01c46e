import Control

/// Hooks that run now, and how those ended that don't. Each runs once for a release at a time.
struct HookSchedule {
    /// How far the hooks for the release on trial have got.
    enum Trial: Hashable {
        case running
        /// Nil: all of them succeeded.
        case ended(failure: String?)
    }

    /// How a run ended, for the ledger.
    struct End: Hashable {
        var version: Int
        var isDone: Bool
        var attempts: Int
        var message: String
    }

    private var runs: [String: HookRun] = [:]
    private var results: [String: DaemonStatus.Hook] = [:]
    /// Hook → target → what is known of that server.
    private var servers: [String: [String: DaemonStatus.Server]] = [:]
    /// Hook → the release of its last run, and when that ended.
    private var ends: [String: (version: Int, at: ContinuousClock.Instant)] = [:]
    private var count = 0

    var tasks: [Task<Void, Never>] { runs.values.map(\.task) }

    /// Takes out the runs for another release than the hook's subject, and those of hooks that are configured otherwise
    /// now; by name.
    mutating func takeOutdated(_ configured: [Hook], subject: (Hook) -> Int?) -> [HookRun] {
        let outdated = runs.values.filter { $0.version != subject($0.hook) || !configured.contains($0.hook) }
        for run in outdated { runs[run.hook.name] = nil }
        return outdated.sorted { $0.hook.name < $1.hook.name }
    }

    /// Hooks to start, each with its release: those that neither run nor have succeeded for it. `done`: the release for
    /// which a hook has succeeded last.
    func due(_ configured: [Hook], subject: (Hook) -> Int?, done: [String: Int]) -> [(hook: Hook, version: Int)] {
        configured.compactMap { hook in
            guard runs[hook.name] == nil, let version = subject(hook), done[hook.name] != version else { return nil }
            return (hook: hook, version: version)
        }
    }

    /// Starts a run: `makeTask` gets what tells it from an earlier one of the same name.
    mutating func start(
        _ hook: Hook, version: Int, isCatchUp: Bool = false, _ makeTask: (Int) -> Task<Void, Never>
    ) {
        count += 1
        if !isCatchUp { results[hook.name] = nil }
        runs[hook.name] = HookRun(
            hook: hook, version: version, id: count, isCatchUp: isCatchUp, task: makeTask(count))
    }

    /// Hooks to try once more, because a server may be back: those that failed for their release, and of those with
    /// targets the ones that not every server has confirmed, or whose servers come from a name. Each at most once in
    /// `pause`.
    mutating func overdue(
        _ configured: [Hook], every pause: Duration, at now: ContinuousClock.Instant, done: [String: Int],
        subject: (Hook) -> Int?
    ) -> [Hook] {
        configured.filter { hook in
            guard runs[hook.name] == nil, let version = subject(hook) else { return false }
            guard let end = ends[hook.name], end.version == version else {
                ends[hook.name] = (version, now)
                return false
            }
            guard now - end.at >= pause else { return false }
            guard done[hook.name] == version else { return true }
            switch hook.targets {
            case nil: return false
            case .name: return true
            case .list(let targets): return targets.contains { servers[hook.name]?[$0]?.version != version }
            }
        }
    }

    /// Targets that have confirmed a release, with what they answered.
    func confirmed(_ hook: Hook, version: Int) -> [String: String] {
        (servers[hook.name] ?? [:]).filter { $0.value.version == version }.mapValues(\.message)
    }

    /// What the ledger knows of servers: hook → target → the release that it has confirmed.
    mutating func restore(_ known: [String: [String: Int]]) {
        servers = known.mapValues { targets in
            Dictionary(
                uniqueKeysWithValues: targets.map { ($0.key, DaemonStatus.Server($0.key, version: $0.value)) })
        }
    }

    /// What became of every target at an attempt. Gives whether the run is still one that counts.
    mutating func note(_ name: String, id: Int, _ answers: [HookRunner.TargetAnswer]) -> Bool {
        guard let run = runs[name], run.id == id else { return false }
        let former = servers[name] ?? [:]
        servers[name] = [:]
        for answer in answers {
            let had = former[answer.target]?.version
            if answer.isConfirmed, had != run.version { runs[name]?.hasProgress = true }
            servers[name]?[answer.target] = DaemonStatus.Server(
                answer.target, version: answer.isConfirmed ? run.version : had, message: answer.message)
        }
        return true
    }

    /// What is on each server of a hook, by their names; nil where it has no targets.
    func servers(of hook: Hook) -> [DaemonStatus.Server]? {
        guard let targets = hook.targets else { return nil }
        let known = servers[hook.name] ?? [:]
        guard case .list(let names) = targets else { return known.values.sorted { $0.target < $1.target } }
        return names.map { known[$0] ?? DaemonStatus.Server($0, version: nil) }
    }

    /// Gives whether the run is still one that counts.
    mutating func fail(_ name: String, id: Int, attempt: Int, _ reason: String) -> Bool {
        guard runs[name]?.id == id else { return false }
        runs[name]?.failures = attempt
        runs[name]?.message = reason
        return true
    }

    /// Nil where the run no longer counts, was cancelled, or came to nothing new.
    mutating func end(
        _ name: String, id: Int, _ outcome: HookRunner.Outcome, at now: ContinuousClock.Instant = .now
    ) -> End? {
        guard let run = runs[name], run.id == id else { return nil }
        if outcome != .cancelled { ends[name] = (run.version, now) }
        if run.isCatchUp {
            let isNew = if case .done = outcome { run.hasProgress || results[name]?.state == .failed } else { false }
            guard isNew else {
                runs[name] = nil
                return nil
            }
        }
        let end: End
        switch outcome {
        case .cancelled: return nil
        case .done(let count, let message):
            end = End(version: run.version, isDone: true, attempts: count, message: message)
        case .failed(let count, let message):
            end = End(version: run.version, isDone: false, attempts: count, message: message)
        }
        runs[name] = nil
        results[name] = DaemonStatus.Hook(
            name, end.isDone ? .done : .failed, version: end.version, attempts: end.attempts, message: end.message)
        return end
    }

    mutating func forgetRuns() { runs = [:] }

    /// How far the hooks for this release have got.
    func trial(of version: Int?, _ configured: [Hook], subject: (Hook) -> Int?) -> Trial {
        let hooks = configured.filter { subject($0) == version }
        if hooks.contains(where: { runs[$0.name].map { !$0.isCatchUp } ?? false }) { return .running }
        let failed = hooks.compactMap { results[$0.name] }.first { $0.state == .failed && $0.version == version }
        return .ended(failure: failed.map { "hook \($0.name) failed: \($0.message)" })
    }

    func status(of hook: Hook, version: Int?, done: Int?) -> DaemonStatus.Hook {
        var status = state(of: hook, version: version, done: done)
        status.targets = servers(of: hook)
        return status
    }

    private func state(of hook: Hook, version: Int?, done: Int?) -> DaemonStatus.Hook {
        if let run = runs[hook.name], !run.isCatchUp {
            return DaemonStatus.Hook(
                hook.name, .running, version: run.version, attempts: run.failures, message: run.message)
        }
        if let result = results[hook.name] { return result }
        return DaemonStatus.Hook(hook.name, version != nil && done == version ? .done : .waiting, version: version)
    }
}

/// A hook that is under way for one release.
struct HookRun: Sendable {
    var hook: Hook
    var version: Int
    /// Tells it from an earlier run of the same name.
    var id: Int
    /// Whether it is one more attempt after the last run had ended.
    var isCatchUp = false
    var task: Task<Void, Never>
    /// Attempts that have failed, and why the last of them did.
    var failures = 0
    var message = ""
    /// Whether a target has confirmed the release that had not before.
    var hasProgress = false
}
