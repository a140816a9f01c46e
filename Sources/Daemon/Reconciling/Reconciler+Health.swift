package import Control
import Registry

extension Reconciler {
    /// How long a scan of the registry may take before `health` reports it: a very large upload is read for minutes.
    private static let slowScan = Duration.seconds(600)

    /// Everything that is wrong at `now`, the worst first.
    package func health(at now: ContinuousClock.Instant = .now) -> HealthReply {
        let status = status()
        var problems: [HealthReply.Problem] = []
        if let failure = scans.failure { problems.append(.init("registry-unreadable", .error, message: failure)) }
        if ledgerQueue.isFailing {
            problems.append(
                .init("ledger-unwritable", .error, message: "the ledger can't be written; merging waits until it can"))
        }
        if let doubt = trust.doubt { problems.append(.init("ledger-doubtful", .error, message: doubt.message)) }
        switch snapshot?.base {
        case .refused, .missing:
            problems.append(.init("no-base", .error, message: "base: \(status.base.message)"))
        case .accepted, .arriving, nil: break
        }
        if areAllTasksGone {
            problems.append(
                .init(
                    "all-tasks-gone", .error,
                    message:
                        "the folders of all deployed tasks are gone from \(configuration.registry)/tasks; the release "
                        + "stays: see whether its file system is mounted"))
        }
        if let failure = retries.failure {
            problems.append(.init("merge-failing", .error, message: "the last merge failed: \(failure)"))
        }
        if running == nil {
            switch rest.reason {
            case .blocked: problems.append(.init("blocked", .error, message: rest.message))
            case .waiting where retries.dueAt == nil && gatheringEnds() == nil:
                problems.append(.init("waiting", .warning, message: rest.message))
            case .held: problems.append(.init("held", .warning, message: rest.message))
            case .refused: problems.append(.init("merge-refused", .warning, message: rest.message))
            default: break
            }
        }
        if let began = scans.runningSince, now - began >= Self.slowScan {
            let minutes = (now - began).components.seconds / 60
            let advice = "see whether \(configuration.registry) answers, or whether a very large upload is being read"
            problems.append(
                .init(
                    "look-slow", .warning,
                    message: "the look at the registry has been under way for \(minutes) minutes; no arrival is seen "
                        + "until it ends: \(advice)"))
        }
        if let watchFailure { problems.append(.init("registry-unwatched", .warning, message: watchFailure)) }
        if memory.isPaused {
            problems.append(
                .init("paused", .warning, message: "paused by the operator; 'supermergectl resume' goes on"))
        }
        for task in status.tasks {
            switch task.state {
            case .refused: problems.append(.init("task-refused", .warning, task: task.name, message: task.message))
            case .setAside: problems.append(.init("task-set-aside", .warning, task: task.name, message: task.message))
            case .deployed, .merging, .accepted, .arriving, .candidate: break
            }
        }
        if let rollout = status.rollout, rollout.state == .failing || rollout.state == .silent {
            let isFailing = rollout.state == .failing
            problems.append(
                .init(
                    isFailing ? "check-failing" : "check-silent", isFailing ? .error : .warning,
                    message: "release \(rollout.version) is on trial: \(rollout.message); "
                        + "'supermergectl promote \(rollout.version)' or 'reject \(rollout.version)' decides"))
        }
        for hook in status.hooks where hook.state == .failed {
            problems.append(.init("hook-failed", .warning, message: "hook \(hook.name): \(hook.message)"))
        }
        if let failure = stamps.failure {
            problems.append(.init("timestamp-failing", .warning, message: "no proof of time: \(failure)"))
        }
        for (name, reason) in status.strays.sorted(by: { $0.key < $1.key }) {
            problems.append(.init("stray", .warning, message: "tasks/\(name) is not a task: \(reason)"))
        }
        return HealthReply(problems: problems)
    }

    /// Whether tasks are deployed, and the registry has a folder of none of them.
    private var areAllTasksGone: Bool {
        guard let snapshot, let tasks = deployed?.record.tasks, !tasks.isEmpty else { return false }
        return tasks.allSatisfy { snapshot.tasks[$0.name] ?? .missing == .missing }
    }

    /// Notes why the registry can't be watched; nil: it is.
    func watch(failingBecause reason: String?) { watchFailure = reason }
}
