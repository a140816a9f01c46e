import Files
package import Registry
import Tasks
package import WorkerProtocol

/// Compares what may be merged with what is deployed. Pure: the same arguments give the same decision.
package enum Planner {
    /// Decides what to do next.
    ///
    /// A deployed task whose folder is there is in every merge: with new content that is being tried, or else with the
    /// content that is deployed, from the registry or from `kept` (task → its files as `TaskStore` has them). So a bad
    /// replacement leaves the old version deployed and delays nobody. New tasks that nothing is known against are
    /// merged together; those that were in a refused merge of several are tried one at a time in order of their names.
    package static func decide(
        snapshot: RegistrySnapshot, deployed: ReleaseRecord?, kept: [String: TaskSource] = [:],
        settings: MergeSettings, memory: PlannerMemory
    ) -> Decision {
        if memory.isPaused { return rest(.paused, "paused by the operator; 'supermergectl resume' goes on") }
        let base: AcceptedBase
        switch snapshot.base {
        case .accepted(let accepted): base = accepted
        case .arriving(let reason): return rest(.noBase, "the base model is still arriving: \(reason)")
        case .refused(let refusal): return rest(.noBase, "the base model is refused: \(refusal.message)")
        case .missing: return rest(.noBase, "no base model; put one into base/ of the registry")
        }
        let empty = MergeInputs(base: base.source.digest, tasks: [:], settings: settings)
        let contexts = empty.contexts
        if let held = memory.held, contexts.contains(held.context), held.tasks == content(snapshot, like: held) {
            return rest(.held, "held after a rollback until the registry changes; 'supermergectl resume' merges now")
        }
        if let blocked = memory.blocked, contexts.contains(blocked.context) { return rest(.blocked, blocked.message) }
        // What was admitted against another base says nothing about this one.
        let kept = deployed?.base.digest == base.source.digest ? kept : [:]
        return select(snapshot, base, empty, deployed: deployed.map(MergeInputs.init(record:)), kept, memory)
    }

    /// What is accepted now; a held task that is arriving (somebody touched its files) counts with its held content,
    /// and so does one that is refused as it is (by a newer version, or another configuration) or that can't be read
    /// just now.
    private static func content(_ snapshot: RegistrySnapshot, like held: HeldContent) -> [String: String] {
        let tasks = snapshot.tasks.compactMap { name, drop -> (String, String)? in
            let former = held.tasks[name]
            switch drop {
            case .accepted(let task):
                let older = digestWithoutConfiguration(task.source)
                return (name, former == older ? older : task.source.digest)
            case .arriving: return former.map { (name, $0) }
            case .refused(let refusal):
                return former.flatMap { $0 == refusal.digest || refusal.code == "unreadable" ? (name, $0) : nil }
            case .missing: return nil
            }
        }
        return Dictionary(uniqueKeysWithValues: tasks)
    }

    /// A task's digest as it was before its own `config.json` counted, by which an older version held it.
    private static func digestWithoutConfiguration(_ task: TaskSource) -> String {
        Digest.manifest(
            task.files.filter { $0.name != HeadConfiguration.fileName }.map { ($0.name, $0.sha256) })
    }

    private static func select(
        _ snapshot: RegistrySnapshot, _ base: AcceptedBase, _ empty: MergeInputs, deployed: MergeInputs?,
        _ kept: [String: TaskSource], _ memory: PlannerMemory
    ) -> Decision {
        let contexts = empty.contexts
        let isUsable = { (name: String, task: TaskSource) in
            (task.isAdapter || !empty.settings.writesAdapter)
                && memory.setAside(name, digest: task.digest, contexts: contexts) == nil
        }
        let accepted = accepted(snapshot)
        let usable = accepted.filter(isUsable)
        let standing = (deployed?.tasks ?? [:]).filter { (snapshot.tasks[$0.key] ?? .missing) != .missing }
        var tasks: [String: TaskSource] = [:]
        for (name, digest) in standing {
            let sources = [usable[name], kept[name].flatMap { isUsable(name, $0) ? $0 : nil }]
            tasks[name] = sources.compactMap(\.self).first { $0.digest == digest }
        }
        let new = usable.filter { deployed?.tasks[$0.key] != $0.value.digest }
        let trial = trial(new, missingDeployed: Set(standing.keys).subtracting(tasks.keys), memory)
        let withoutNew = empty.with(tasks)
        for name in trial { tasks[name] = new[name] }
        let inputs = empty.with(tasks)

        let condition = { (name: String) in
            Self.condition(of: name, snapshot, aside: memory.setAside[name]?.message)
        }
        if let task = standing.keys.sorted().first(where: { tasks[$0] == nil }) {
            let lost = standing.filter { tasks[$0.key] == nil }
            let stays =
                deployed.map {
                    inputs.tasks.merging(lost) { first, _ in first } == $0.tasks && inputs.hasContext(of: $0)
                } ?? false
            return stays
                ? rest(.upToDate, "task \(task) stays as deployed: \(condition(task))")
                : rest(.waiting, "waiting for task \(task), which a merge now would remove: \(condition(task))")
        }
        if tasks.isEmpty {
            return rest(
                .noTasks, deployed == nil ? "no task can be merged yet" : "no task is left; the deployed release stays")
        }
        if let deployed, inputs.equals(deployed) {
            let spared = standing.keys.sorted().first { accepted[$0]?.digest != standing[$0] }
            return rest(.upToDate, spared.map { "task \($0) stays as deployed: \(condition($0))" } ?? "up to date")
        }
        let name = memory.name(of: inputs)
        if let reason = memory.refusedInputs[name] { return rest(.refused, reason) }
        return .merge(
            MergeRequest(
                base: base, tasks: tasks.keys.sorted().compactMap { tasks[$0] }, inputs: inputs, name: name,
                new: trial, withoutNew: memory.name(of: withoutNew)))
    }

    /// Which new tasks are merged now. `missingDeployed`, deployed tasks whose deployed content is nowhere, go first
    /// among the retryIndividually: no merge can do without them.
    private static func trial(
        _ new: [String: TaskSource], missingDeployed: Set<String>, _ memory: PlannerMemory
    ) -> [String] {
        let retryIndividually = new.filter { memory.retryIndividually[$0.key] == $0.value.digest }.keys.sorted()
        let pressing = retryIndividually.filter { missingDeployed.contains($0) }
        if !pressing.isEmpty { return pressing }
        return retryIndividually.count < new.count
            ? new.keys.filter { !retryIndividually.contains($0) }.sorted() : Array(retryIndividually.prefix(1))
    }

    private static func accepted(_ snapshot: RegistrySnapshot) -> [String: TaskSource] {
        snapshot.tasks.compactMapValues { drop in
            if case .accepted(let task) = drop { task.source } else { nil }
        }
    }

    private static func condition(of task: String, _ snapshot: RegistrySnapshot, aside: String?) -> String {
        switch snapshot.tasks[task] {
        case .arriving(let reason): "its new content is still arriving (\(reason))"
        case .refused(let refusal): "its new content is refused (\(refusal.message))"
        default: "its content is set aside (\(aside ?? "unknown reason"))"
        }
    }

    private static func rest(_ reason: Decision.Rest.Reason, _ message: String) -> Decision {
        .nothing(Decision.Rest(reason, message))
    }
}
