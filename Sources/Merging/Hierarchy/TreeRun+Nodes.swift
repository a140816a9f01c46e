internal import Safetensors
internal import Torch
internal import WorkerProtocol

extension TreeRun {
    /// The weights of a node's fit, one for each of its sources, layer and row, all at `scale`.
    func form(of node: MergeTree.Node) -> MergingWeights {
        MergingWeights(
            method: settings.method, taskCount: plan.tree.sources(of: node).count, layers: context.layers,
            scale: settings.scale, squash: settings.squash)
    }

    /// Where a node's fit starts: from the weights of the node whose place it has, where that is stored, for each
    /// source that was there and was a node or a task as it is now. Else a task of its own starts from `scale`, and
    /// what a child was fitted over from that fit, times √(its tasks / all tasks below): the rate at which the best
    /// common factor of task arithmetic falls.
    func start(_ merge: TreePlan.Merge, _ records: [String: NodeRecord]) -> MergingWeights {
        var start = unaveragedStart(merge, records)
        start.averageStatistics(context.layers)
        return start
    }

    private func unaveragedStart(_ merge: TreePlan.Merge, _ records: [String: NodeRecord]) -> MergingWeights {
        var start = form(of: merge.node)
        let sources = plan.tree.sources(of: merge.node)
        for child in merge.node.children where child.task == nil {
            let share = (Double(child.leaves.count) / Double(merge.node.leaves.count)).squareRoot()
            let whole = product(tree: child, records)
            let tasks = Set(child.leaves)
            for (place, source) in sources.enumerated() where tasks.isSuperset(of: source.leaves) {
                start.set(source: place, to: part(source, of: child, whole, records), times: share)
            }
        }
        guard let predecessor = merge.predecessor else { return start }
        let old = plan.tree.sources(of: predecessor.node)
        var former = form(of: predecessor.node)
        guard let record = store.fit(predecessor.digest, count: former.values.count) else { return start }
        former.values = record.weights
        for (place, source) in sources.enumerated() {
            guard let match = Self.place(of: source, in: old) else { continue }
            for layer in context.layers.indices {
                start.copy(task: place, layer: layer, from: former, task: match)
            }
        }
        return start
    }

    /// The source of a former node that this one was: a task as a task, a node as a node.
    private static func place(of source: MergeTree.Node, in former: [MergeTree.Node]) -> Int? {
        let tasks = Set(source.leaves)
        return former.firstIndex { ($0.task == nil) == (source.task == nil) && !tasks.isDisjoint(with: $0.leaves) }
    }

    /// A node's fit goes on as an arrival where it starts from that of a node that had at least half of its sources.
    func schedule(of merge: TreePlan.Merge) -> FitSchedule {
        guard let predecessor = merge.predecessor,
            store.fit(predecessor.digest, count: form(of: predecessor.node).values.count) != nil
        else { return FitSchedule(settings) }
        let sources = plan.tree.sources(of: merge.node)
        let old = plan.tree.sources(of: predecessor.node)
        let known = sources.count { Self.place(of: $0, in: old) != nil }
        return 2 * known >= sources.count ? FitSchedule(arrival: settings) : FitSchedule(settings)
    }

    /// How much of a child's own model is in it, by layer: with a task, its coefficients and gains; with a node, whose
    /// tasks may have moved against each other, the factors of theirs that come nearest.
    private func part(
        _ source: MergeTree.Node, of child: MergeTree.Node, _ whole: MergingWeights, _ records: [String: NodeRecord]
    ) -> [(rows: [Double], columns: [Double])] {
        let own = product(tree: source, records)
        let below = places(of: child)
        let pairs = places(of: source).enumerated().map { place, task in (place, below.firstIndex(of: task) ?? 0) }
        return context.layers.indices.map { layer in
            let rows = pairs.map { inner, outer in
                (own.coefficients(task: inner, layer: layer), whole.coefficients(task: outer, layer: layer))
            }
            let columns = pairs.map { inner, outer in
                (own.gains(task: inner, layer: layer), whole.gains(task: outer, layer: layer))
            }
            return (
                Self.nearest(rows, count: whole.rows[layer], otherwise: settings.scale),
                Self.nearest(columns, count: whole.columns[layer], otherwise: 1)
            )
        }
    }

    /// The factor of each place that takes the first of every pair nearest to the second: Σ ab / Σ aa.
    private static func nearest(_ pairs: [([Double], [Double])], count: Int, otherwise: Double) -> [Double] {
        (0..<count).map { place in
            let product = pairs.reduce(0) { $0 + $1.0[place] * $1.1[place] }
            let square = pairs.reduce(0) { $0 + $1.0[place] * $1.0[place] }
            return square > 0 ? product / square : otherwise
        }
    }

    /// The task vectors of a node's sources: a task's from its checkpoint, a node's from its intermediate model, which
    /// is written where it is not there.
    func vectors(of node: MergeTree.Node, _ records: [String: NodeRecord]) throws -> TaskVectors {
        var sources: [any VectorSource] = []
        var active: [[Bool]] = []
        for source in plan.tree.sources(of: node) {
            if let place = context.tasks.firstIndex(where: { $0.name == source.task }) {
                sources.append(context.tasks[place])
                active.append(context.vectors.active[place])
            } else {
                let model = try model(of: source, records)
                sources.append(model)
                active.append(context.layers.map { !model.owns($0.name) })
            }
        }
        return try TaskVectors(base: context.base, tasks: sources, layers: context.layers, active: active)
    }

    /// A node's intermediate model from the tasks below it, so that it is rounded once, whatever lies between.
    private func model(of node: MergeTree.Node, _ records: [String: NodeRecord]) throws -> NodeModel {
        let digest = plan.digest(of: node) ?? ""
        let below = places(of: node)
        let active = below.map { context.vectors.active[$0] }
        let moved = context.layers.indices.filter { layer in active.contains { $0[layer] } }
        if let stored = store.model(digest), Set(stored.names) == Set(moved.map { context.layers[$0].name }) {
            return NodeModel(name: digest, checkpoint: stored)
        }
        let vectors = try TaskVectors(
            base: context.base, tasks: below.map { context.tasks[$0] }, layers: context.layers, active: active)
        let weights = product(tree: node, records)
        let slots = moved.map { layer in
            SafetensorsWriter.Slot(
                name: context.layers[layer].name, dtype: .f32, shape: context.layers[layer].shape)
        }
        let checkpoint = try store.writeModel(digest, slots) { writer in
            let behind = unsafe WriteBehind { try unsafe writer.append($0) }
            for layer in moved {
                try unsafe vectors.forEachPiece(of: layer) { piece in
                    try unsafe behind.write(piece.elements.count * 4) { result in
                        try unsafe vectors.mergeFinite(piece, of: layer, weights, into: result.baseAddress!, .float32)
                    }
                }
            }
            try behind.finish()
        }
        return NodeModel(name: digest, checkpoint: checkpoint)
    }

    /// Coefficients of the tasks below a node, in the plan's order: the products of those of the sources on their ways
    /// up to it. A task's own is 1.
    func product(tree node: MergeTree.Node, _ records: [String: NodeRecord]) -> MergingWeights {
        let below = places(of: node).map { context.tasks[$0].name }
        var product = MergingWeights(
            taskCount: below.count, layers: context.layers, coefficient: 1, squash: .identity)
        var nodes = [node]
        while let node = nodes.popLast() {
            guard node.task == nil else { continue }
            var own = form(of: node)
            if let record = plan.digest(of: node).flatMap({ records[$0] }) { own.values = record.weights }
            let sources = plan.tree.sources(of: node)
            for (place, source) in sources.enumerated() {
                for task in source.leaves {
                    guard let target = below.firstIndex(of: task) else { continue }
                    product.scale(task: target, by: own, source: place)
                }
            }
            nodes += sources
        }
        return product
    }
}

extension MergingWeights {
    /// The coefficients of a source times `factor`, and its gains; under tanh at most 0.9 either way, where it still
    /// moves.
    fileprivate mutating func set(source: Int, to parts: [(rows: [Double], columns: [Double])], times factor: Double) {
        let limit = squash == .tanh ? 0.9 : .infinity
        for (layer, part) in parts.enumerated() {
            for (place, coefficient) in zip(range(task: source, layer: layer), part.rows) {
                values[place] = squash.weight(forCoefficient: min(max(factor * coefficient, -limit), limit))
            }
            for (place, gain) in zip(columnRange(task: source, layer: layer), part.columns) {
                values[place] = squash.weight(forGain: min(max(gain, 1 - limit), 1 + limit))
            }
        }
    }

    /// Takes over the weights that another fit gave a source.
    fileprivate mutating func copy(task: Int, layer: Int, from other: MergingWeights, task source: Int) {
        let rows = other.values[other.range(task: source, layer: layer)]
        values.replaceSubrange(range(task: task, layer: layer), with: rows)
        let columns = other.values[other.columnRange(task: source, layer: layer)]
        values.replaceSubrange(columnRange(task: task, layer: layer), with: columns)
    }

    /// Multiplies a task's coefficients, which are not squashed, by those of a node above it.
    fileprivate mutating func scale(task: Int, by other: MergingWeights, source: Int) {
        for layer in rows.indices {
            let factors = other.coefficients(task: source, layer: layer)
            for (place, factor) in zip(range(task: task, layer: layer), factors) { values[place] *= factor }
            for (place, gain) in zip(columnRange(task: task, layer: layer), other.gains(task: source, layer: layer)) {
                values[place] = squash.weight(forGain: squash.gain(values[place]) * gain)
            }
        }
    }
}
