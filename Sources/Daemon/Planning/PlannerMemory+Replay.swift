package import Ledger

extension PlannerMemory {
    /// Failures of one merge in a row after which its new tasks are set aside.
    static let failureLimit = 5

    /// Takes one entry of the ledger in; replaying all of them in order, each with its time, rebuilds the memory.
    package mutating func apply(_ event: LedgerEvent, time: String? = nil) {
        releases.take(event, time: time)
        let details = MergeDetails(event.details)
        if event.details["signed-by"] != nil { hasSigned = true }
        switch event.kind {
        case .accepted, .refused, .removed:
            announce(event)
            if event.kind == .refused, event.details["source"] == .string("worker"), let task = event.task {
                setAside(task, details, cause: "worker", message: event.message)
            }
        case .gated:
            blame(
                details, cause: "gate", message: event.message,
                otherwise:
                    "the gate refused this set of tasks; change a task or the settings, or 'supermergectl retry TASK' "
                    + "with any of them"
            )
        case .mergeFailed:
            applyFailure(event, details)
        case .published:
            settle(details)
            rollout = nil
            if let version = event.version, event.details["watched"] == .bool(true) {
                rollout = RecordedRollout(
                    .watch, version: version, previous: event.details["previous"]?.integer, details: event.details)
            }
        case .canaryStarted, .promoted, .checkFailed, .rejected: applyRollout(event, details)
        case .rolledBack:
            rollout = nil
            held = HeldContent(event.details["held"])
            if let rejected = event.details["rejected"] {
                blame(
                    MergeDetails(rejected.members), cause: "rollout", message: event.message, otherwise: event.message)
            }
        case .recovered:
            if rollout?.kind == .watch, rollout?.version != event.version { rollout = nil }
        case .hook, .hookFailed:
            if let name = event.details["hook"]?.text, let targets = event.details["targets"]?.members {
                hookTargets[name] = targets.compactMapValues(\.integer)
            }
            guard let version = event.version, event.details["outcome"]?.text == "done" else { break }
            if let name = event.details["hook"]?.text { hooksDone[name] = version }
        case .operatorAction:
            applyOperator(event)
        default:
            break
        }
    }

    /// A merge has led to a release: what was held against its inputs is over.
    private mutating func settle(_ details: MergeDetails) {
        failures[details.inputs] = nil
        held = nil
        for task in details.new { retryIndividually[task] = nil }
    }

    private mutating func applyRollout(_ event: LedgerEvent, _ details: MergeDetails) {
        guard let version = event.version else { return }
        switch event.kind {
        case .canaryStarted:
            failures[details.inputs] = nil
            held = nil
            rollout = RecordedRollout(
                .canary, version: version, previous: event.details["previous"]?.integer, details: event.details)
        case .promoted:
            settle(details)
            rollout = nil
        case .checkFailed where rollout?.version == version:
            if event.details["taken-back"] == .bool(true) { rollout?.failure = event.details["answer"]?.text }
        case .rejected:
            if rollout?.version == version { rollout = nil }
            guard event.details["blamed"] == .bool(true) else { return }
            blame(details, cause: "rollout", message: event.message, otherwise: event.message)
        default: break
        }
    }

    private mutating func announce(_ event: LedgerEvent) {
        guard let key = event.details["announcement"]?.text else { return }
        announced[key] = event.details["state"]?.text
    }

    private mutating func applyFailure(_ event: LedgerEvent, _ details: MergeDetails) {
        switch event.details["cause"]?.text {
        case "bad-base": blocked = (details.context, event.message)
        case "environment", "input-changed", "bad-task": failures[details.inputs, default: 0] += 1
        default:
            failures[details.inputs, default: 0] += 1
            if failures[details.inputs, default: 0] >= Self.failureLimit {
                failures[details.inputs] = nil
                blame(
                    details, cause: "failures", message: event.message,
                    otherwise: "given up after \(Self.failureLimit) failures ('supermergectl retry TASK' tries again): "
                        + event.message)
            }
        }
    }

    private mutating func applyOperator(_ event: LedgerEvent) {
        switch event.details["action"]?.text {
        case "pause": isPaused = true
        case "resume":
            isPaused = false
            held = nil
        case "retry":
            if let task = event.task {
                setAside[task] = nil
                retryIndividually[task] = nil
            }
            refusedInputs = [:]
            failures = [:]
            blocked = nil
            held = nil
        default: break
        }
    }

    /// One new task: it is to blame. Several: each is tried alone, unless all were tried so far as can be. None, or
    /// what is left without them was refused before: these inputs are not tried again, for the reason `otherwise`.
    private mutating func blame(_ details: MergeDetails, cause: String, message: String, otherwise: String) {
        if details.new.isEmpty || refusedInputs[details.withoutNew] != nil {
            refusedInputs[details.inputs] = otherwise
        } else if details.new.count == 1 || details.new.allSatisfy({ retryIndividually[$0] == details.tasks[$0] }) {
            for task in details.new { setAside(task, details, cause: cause, message: message) }
        } else {
            for task in details.new { retryIndividually[task] = details.tasks[task] }
        }
    }

    private mutating func setAside(_ task: String, _ details: MergeDetails, cause: String, message: String) {
        retryIndividually[task] = nil
        guard let digest = details.tasks[task] else { return }
        setAside[task] = SetAside(digest: digest, context: details.context, cause: cause, message: message)
    }
}
