package import Control
import Registry
import Releases
import WorkerProtocol

extension Reconciler {
    /// What the next merge would do. Nothing is decided, written or started by asking, but for a worker that reads
    /// headers.
    package func plan() async -> PlanReply {
        var reply: PlanReply
        let request: MergeRequest?
        if let running {
            reply = PlanReply(state: .running, message: status().message, settings: configuration.merge)
            request = running.request
        } else {
            (reply, request) = decided()
        }
        reply.deployed = deployed?.version
        reply.tasks = tasks(of: request)
        guard let request else { return reply }
        let old = deployed.map { MergeInputs(record: $0.record) }
        reply.isBaseChanged = old.map { $0.base != request.inputs.base } ?? false
        reply.isConfigurationChanged =
            old.map { old in
                !MergeInputs(base: old.base, tasks: [:], settings: configuration.merge).hasContext(of: old)
            } ?? false
        let (plan, worker) = (plan(request, output: "/nonexistent", scratch: "/nonexistent"), worker)
        switch await worker.estimate(plan) {
        case .success(let estimate):
            reply.estimate = estimate
            if estimate == nil { reply.estimateProblem = "a method that learns nothing takes little memory" }
        case .failure(let problem): reply.estimateProblem = problem.message
        }
        let (store, start) = (parts.store, deployed?.record)
        let records = (try? await BlockingIO.run { try store.releases().map(\.record) }) ?? []
        let steps = Self.mostSteps(of: request.inputs, reply.estimate?.strategy.strategy, deployed: start)
        (reply.seconds, reply.secondsFrom) = Self.time(of: request.inputs, steps: steps, from: records)
        return reply
    }

    private func decided() -> (PlanReply, MergeRequest?) {
        func nothing(_ message: String) -> (PlanReply, MergeRequest?) {
            (PlanReply(state: .nothing, message: message, settings: configuration.merge), nil)
        }
        guard let snapshot else { return nothing(scans.failure ?? "the registry was not looked at yet") }
        // A pause holds the merge back; what it would do can be told all the same.
        var memory = memory
        memory.isPaused = false
        let decision = Planner.decide(
            snapshot: snapshot, deployed: deployed?.record, kept: kept, settings: configuration.merge, memory: memory)
        guard case .merge(let request) = decision else {
            if case .nothing(let rest) = decision { return nothing(rest.message) }
            return nothing("nothing to merge")
        }
        let message = self.memory.isPaused ? "paused by the operator; 'supermergectl resume' starts it" : "starts soon"
        return (PlanReply(state: .due, message: message, settings: configuration.merge), request)
    }

    /// Every task of the registry and the deployed release, and what becomes of it.
    private func tasks(of request: MergeRequest?) -> [PlanReply.Task] {
        let old = deployed.map { MergeInputs(record: $0.record).tasks } ?? [:]
        let new = request?.inputs.tasks ?? [:]
        let known = Dictionary(status().tasks.map { ($0.name, $0) }) { first, _ in first }
        return Set(old.keys).union(new.keys).union(known.keys).sorted().map { name in
            if let digest = new[name] {
                let change: PlanReply.Task.Change =
                    old[name] == nil ? .new : old[name] == digest ? .kept : .changed
                return PlanReply.Task(name: name, change: change, digest: digest)
            }
            let isGone = (snapshot?.tasks[name] ?? .missing) == .missing
            if old[name] != nil, request == nil || isGone {
                return PlanReply.Task(
                    name: name, change: request == nil ? .kept : .removed,
                    message: request == nil ? "" : "its folder is gone",
                    digest: old[name])
            }
            let task = known[name]
            let why = task.map { $0.message.isEmpty ? $0.state.rawValue : $0.message } ?? "not in the registry"
            return PlanReply.Task(name: name, change: .leftOut, message: why, digest: task?.digest)
        }
    }

    /// The mean time for each task of the newest merges with the same base and settings, times the tasks; three at
    /// most. `steps`: that the merge may take; it takes as much less than one of those that took more.
    static func time(
        of inputs: MergeInputs, steps: Int, from records: [ReleaseRecord]
    ) -> (seconds: Double?, versions: [Int]) {
        let alike = records.filter {
            let old = MergeInputs(record: $0)
            return $0.rollbackOf == nil && inputs.hasContext(of: old) && !$0.tasks.isEmpty
                && $0.result.seconds.isFinite && $0.result.seconds > 0
        }.suffix(3)
        guard !alike.isEmpty else { return (nil, []) }
        let each = alike.map { record in
            let taken = max(record.result.steps, 1)
            return record.result.seconds / Double(record.tasks.count) * Double(min(taken, steps)) / Double(taken)
        }
        return (each.reduce(0, +) / Double(each.count) * Double(inputs.tasks.count), alike.map(\.version))
    }

    /// Fewer where SuperMerge starts at a release that was fitted so and has most of the tasks. `strategy`: the
    /// worker's choice.
    static func mostSteps(
        of inputs: MergeInputs, _ strategy: MergeSettings.Strategy?, deployed: ReleaseRecord?
    ) -> Int {
        guard strategy == .incremental, inputs.settings.method == .supermerge, let deployed,
            inputs.hasContext(of: MergeInputs(record: deployed)),
            2 * deployed.tasks.count(where: { inputs.tasks[$0.name] != nil }) >= inputs.tasks.count
        else { return inputs.settings.steps }
        return inputs.settings.arrivalSteps
    }
}
