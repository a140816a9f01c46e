package import Registry
package import WorkerProtocol

/// Compares what may be merged with what is deployed. Pure: the same arguments give the same decision.
package enum Planner {
    /// Decides what to do next.
    ///
    /// New tasks that nothing is known against are merged together; those that were in a refused merge of several are
    /// tried one at a time in order of their names. A deployed task whose folder is there but unusable is never dropped
    /// by a merge: other changes wait for it.
    package static func decide(
        snapshot: RegistrySnapshot, deployed: ReleaseRecord?, settings: MergeSettings, memory: PlannerMemory
    ) -> Decision {
        if memory.isPaused { return rest(.paused, "paused by the operator; 'supermergectl resume' goes on") }
        let base: AcceptedBase
        switch snapshot.base {
        case .accepted(let accepted): base = accepted
        case .arriving(let reason): return rest(.noBase, "the base model is still arriving: \(reason)")
        case .refused(let refusal): return rest(.noBase, "the base model is refused: \(refusal.message)")
        case .missing: return rest(.noBase, "no base model; put one into base/ of the registry")
        }
        let all = everything(snapshot, base: base, settings: settings)
        if all.fingerprint == memory.held {
            return rest(.held, "held after a rollback until the registry changes; 'supermergectl resume' merges now")
        }
        if let blocked = memory.blocked, blocked.context == all.context { return rest(.blocked, blocked.message) }
        return select(snapshot, base: base, all: all, deployed: deployed, memory: memory)
    }

    /// The inputs if every accepted task were merged; what a rollback holds.
    package static func everything(
        _ snapshot: RegistrySnapshot, base: AcceptedBase, settings: MergeSettings
    ) -> MergeInputs {
        MergeInputs(
            base: base.source.digest, tasks: accepted(snapshot).mapValues(\.source.digest), settings: settings)
    }

    private static func select(
        _ snapshot: RegistrySnapshot, base: AcceptedBase, all: MergeInputs, deployed: ReleaseRecord?,
        memory: PlannerMemory
    ) -> Decision {
        let accepted = accepted(snapshot)
        let old = deployed.map(MergeInputs.init(record:))
        let oldDigests = old?.tasks ?? [:]
        let aside = accepted.filter {
            memory.setAside($0.key, digest: $0.value.source.digest, context: all.context) != nil
        }
        let usable = accepted.filter { aside[$0.key] == nil }
        let new = usable.filter { oldDigests[$0.key] != $0.value.source.digest }.keys.sorted()
        let suspects = new.filter { memory.suspects[$0] == all.tasks[$0] }
        let trial = suspects.count < new.count ? new.filter { !suspects.contains($0) } : Array(suspects.prefix(1))
        let names = usable.keys.filter { !new.contains($0) || trial.contains($0) }.sorted()
        let inputs = MergeInputs(
            base: all.base, tasks: all.tasks.filter { names.contains($0.key) }, settings: all.settings)

        let unusable = oldDigests.keys.sorted().filter { name in
            usable[name] == nil && (snapshot.tasks[name].map { $0 != .missing } ?? false)
        }
        if let task = unusable.first {
            let kept = oldDigests.filter { unusable.contains($0.key) }
            let same = old?.context == inputs.context && inputs.tasks.merging(kept) { first, _ in first } == oldDigests
            let state = condition(of: task, snapshot, aside: memory.setAside[task]?.message)
            return same
                ? rest(.upToDate, "task \(task) stays as deployed: \(state)")
                : rest(.waiting, "waiting for task \(task), which a merge now would drop: \(state)")
        }
        if inputs.tasks.isEmpty {
            return rest(
                .noTasks, deployed == nil ? "no task can be merged yet" : "no task is left; the deployed release stays")
        }
        if inputs == old { return rest(.upToDate, "up to date") }
        if memory.refusedInputs.contains(inputs.fingerprint) {
            return rest(.refused, "the gate refused this set of tasks; change one, or 'supermergectl retry TASK'")
        }
        return .merge(
            MergeRequest(base: base, tasks: names.compactMap { accepted[$0] }, inputs: inputs, new: trial))
    }

    private static func accepted(_ snapshot: RegistrySnapshot) -> [String: AcceptedTask] {
        snapshot.tasks.compactMapValues { drop in
            if case .accepted(let task) = drop { task } else { nil }
        }
    }

    private static func condition(of task: String, _ snapshot: RegistrySnapshot, aside: String?) -> String {
        switch snapshot.tasks[task] {
        case .arriving(let reason): "its new content is still arriving (\(reason))"
        case .refused(let refusal): "its new content is refused (\(refusal.message))"
        default: "its new content is set aside (\(aside ?? "unknown reason"))"
        }
    }

    private static func rest(_ reason: Decision.Rest.Reason, _ message: String) -> Decision {
        .nothing(Decision.Rest(reason, message))
    }
}
