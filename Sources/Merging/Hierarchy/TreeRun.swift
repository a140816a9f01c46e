internal import Safetensors
internal import Torch
internal import WorkerProtocol

/// A hierarchical SuperMerge (arXiv 2412.10416): every node of the tree is a fit over what is below it, with the
/// examples of all tasks below, and its result is a model like a task's. A node's fit has a weight for each of its
/// tasks and for each child of its nodes, further down where they are few, and starts from what these were fitted to: a
/// weight for the node alone would keep the balance that was struck without the others. All is linear, so the
/// coefficient of a task is the product of those on its way to the root, and θm is written once from θp and the tasks'
/// own τ.
///
/// Memory: that of one fit over at most `fanIn`² sources, with nothing of a task in memory but the batch, the head and
/// the logits in use. Work of an arrival: the fits on the way from its leaf to the root; those of other nodes are taken
/// from the store.
final class TreeRun {
    /// Drives one fit to its end: `done` of `total` steps lie before it.
    typealias Descent = (_ fit: CoefficientFit, _ merge: String, _ done: Int, _ total: Int) throws -> Void

    let context: MergeContext
    let evaluation: EvaluationContext
    let parameters: ModelParameters
    let teachers: [TeacherLogits?]
    let store: NodeStore
    private let planted: SavedTree?
    let plan: TreePlan
    /// The merge's plan with what `auto` became: what a node's digest is over.
    private let pinned: MergePlan
    /// What was measured to decide the tree.
    let measured: Similarity
    var settings: ResolvedSettings { context.settings }

    /// Decides the tree; measures similarities where tasks came. `progress` counts layers of that.
    init(
        _ context: MergeContext, _ evaluation: EvaluationContext, _ parameters: ModelParameters,
        teachers: [TeacherLogits?],
        progress: (Int, Int) throws -> Void
    ) throws {
        self.context = context
        self.evaluation = evaluation
        self.parameters = parameters
        self.teachers = teachers
        store = NodeStore(directory: context.plan.tree ?? context.plan.scratch + "/tree")
        let planted = store.planted().flatMap { $0.base == context.plan.base.digest ? $0 : nil }
        self.planted = planted
        let (tree, measured) = try Self.tree(context, after: planted?.tree) {
            try progress($0, context.layers.count)
        }
        self.measured = measured
        pinned = context.pinnedPlan
        plan = try TreePlan(tree, for: pinned, after: planted) { [store] in store.fit($0) != nil }
    }

    /// The former tree without what went and with what came, or where that can't be one that is grouped anew.
    private static func tree(
        _ context: MergeContext, after former: MergeTree?, progress: (Int) throws -> Void
    ) throws -> (MergeTree, Similarity) {
        let names = context.tasks.map(\.name)
        let fanIn = context.settings.fanIn
        let all = Array(names.indices)
        guard let former, former.fanIn == max(2, fanIn), !Set(former.leaves).isDisjoint(with: names) else {
            let similarity =
                names.count > fanIn ? try Similarity(of: all, in: context.vectors, progress: progress) : Similarity()
            return (MergeTree(grouping: names, fanIn: fanIn, by: similarity), similarity)
        }
        var tree = former.leaves.filter { !names.contains($0) }.reduce(former) { $0.removing($1) }
        let new = all.filter { !former.leaves.contains(names[$0]) }
        guard !new.isEmpty else { return (tree, Similarity()) }
        let similarity = try Similarity(of: new, in: context.vectors, progress: progress)
        for task in new.map({ names[$0] }).sorted() {
            guard let grown = tree.inserting(task, by: similarity) else {
                let similarity = try Similarity(of: all, in: context.vectors, progress: progress)
                return (MergeTree(grouping: names, fanIn: fanIn, by: similarity), similarity)
            }
            tree = grown
        }
        return (tree, similarity)
    }

    /// What came of the tree.
    struct Outcome {
        /// For each task the products of the coefficients on its way to the root.
        var weights: MergingWeights
        var nodes: [TreeNode]
        var root: NodeRecord.Summary
    }

    /// Fits what is not stored, children first. `started` hears at which step the first fit goes on.
    func run(started: (Int) -> Void, descend: Descent) throws -> Outcome {
        var records: [String: NodeRecord] = [:]
        for merge in plan.merges {
            records[merge.digest] = store.fit(merge.digest, count: form(of: merge.node).values.count)
        }
        let stored = Set(records.keys)
        let missing = plan.merges.filter { !stored.contains($0.digest) }
        let schedules = missing.map(schedule)
        let total = schedules.reduce(0) { $0 + $1.steps }
        started(missing.first.flatMap { saved($0)?.step } ?? 0)
        var done = 0
        for (merge, schedule) in zip(missing, schedules) {
            let state = try fit(merge, schedule, records, done: done, total: total, descend)
            done += schedule.steps
            let record = NodeRecord(state)
            try store.save(record, as: merge.digest)
            records[merge.digest] = record
        }
        let nodes = plan.merges.map { merge in
            let summary = records[merge.digest]?.summary
            return TreeNode(
                digest: merge.digest, children: names(merge.node.children),
                sources: names(plan.tree.sources(of: merge.node)),
                tasks: merge.node.leaves, steps: summary?.steps ?? 0, bestStep: summary?.bestStep ?? 0,
                heldOut: summary?.heldOut, isReused: stored.contains(merge.digest))
        }
        let root = plan.merges.last.flatMap { records[$0.digest]?.summary }
        return Outcome(
            weights: product(tree: plan.tree.root, records), nodes: nodes,
            root: root ?? .init(steps: 0, bestStep: 0, heldOut: nil, curve: []))
    }

    /// Records the tree for the next merge and removes what neither it nor the last few trees use.
    func finish() throws {
        let next = plan.planted(for: pinned, after: planted)
        try store.plant(next)
        try store.retain(
            fits: Set(next.former.joined()),
            models: Set(plan.merges.flatMap { plan.tree.sources(of: $0.node) }.compactMap(plan.digest)))
    }

    /// Tasks by their names, nodes by their digests.
    private func names(_ nodes: [MergeTree.Node]) -> [String] { nodes.compactMap { $0.task ?? plan.digest(of: $0) } }

    private func saved(_ merge: TreePlan.Merge) -> FitState? {
        FitState.load(from: context.plan.scratch, merge: merge.digest, like: form(of: merge.node))
    }

    private func fit(
        _ merge: TreePlan.Merge, _ schedule: FitSchedule, _ records: [String: NodeRecord], done: Int, total: Int,
        _ descend: Descent
    ) throws -> FitState {
        let below = places(of: merge.node)
        let vectors = try vectors(of: merge.node, records)
        let evaluation = MergeContext(context, tasks: below, vectors: vectors)
        let saved = saved(merge)
        let state = saved ?? FitState(start(merge, records))
        vectors.keepsRead = true
        let fit = try CoefficientFit(
            evaluation, self.evaluation.of(below), parameters, state: state, teachers: below.map { teachers[$0] },
            schedule: schedule)
        if saved == nil { try fit.look(lastLoss: nil) }
        try descend(fit, merge.digest, done, total)
        return fit.state
    }

    /// Places of the tasks below a node, in the plan's order.
    func places(of node: MergeTree.Node) -> [Int] {
        let leaves = Set(node.leaves)
        return context.tasks.indices.filter { leaves.contains(context.tasks[$0].name) }
    }
}
