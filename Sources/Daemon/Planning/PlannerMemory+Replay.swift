package import Ledger

extension PlannerMemory {
    /// Failures of one merge in a row after which its new tasks are set aside.
    static let failureLimit = 5

    /// Takes one entry of the ledger in; replaying all of them in order, each with its time, rebuilds the memory.
    package mutating func apply(_ event: LedgerEvent, time: String? = nil) {
        let deployed = releases.deployed
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
                    "the gate refused this set of tasks; change a task or the settings, or 'supermergectl retry TASK' with any of them"
            )
        case .mergeFailed:
            applyFailure(event, details)
        case .published:
            failures[details.inputs] = nil
            held = nil
            hooksDone = []
            for task in details.new { retryIndividually[task] = nil }
        case .rolledBack:
            held = HeldContent(event.details["held"])
            hooksDone = []
        case .recovered:
            if event.version != deployed { hooksDone = [] }
        case .hook:
            guard event.version == deployed, event.details["outcome"]?.text == "done" else { break }
            if let name = event.details["hook"]?.text { hooksDone.insert(name) }
        case .operatorAction:
            applyOperator(event)
        default:
            break
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
