internal import Safetensors
internal import Torch
internal import WorkerProtocol

extension TreeRun {
    /// The weights of a fit over a node's children, as it starts when nothing is known: a task from `scale`; a node, which has
    /// its tasks scaled already, from √(its tasks / all tasks below), the rate at which the best common factor of task
    /// arithmetic falls, and at most 0.9, where tanh still moves.
    func weights(of node: MergeTree.Node) -> MergingWeights {
        var weights = MergingWeights(
            method: settings.method, taskCount: node.children.count, layers: workbench.layers, scale: settings.scale)
        let all = Double(node.leaves.count)
        for (place, child) in node.children.enumerated() where child.task == nil {
            let coefficient = min(0.9, (Double(child.leaves.count) / all).squareRoot())
            weights.set(source: place, to: coefficient)
        }
        return weights
    }

    /// Where a node's fit starts: from the weights of the node whose place it has, where that is stored, for each child that
    /// was there and was a node or a task as it is now, and as `weights(of:)` for the rest.
    func start(_ merge: TreePlan.Merge) -> MergingWeights {
        var start = weights(of: merge.node)
        guard let predecessor = merge.predecessor else { return start }
        let old = predecessor.node.children
        var former = weights(of: predecessor.node)
        guard let record = store.fit(predecessor.digest, count: former.values.count) else { return start }
        former.values = record.weights
        for (place, child) in merge.node.children.enumerated() {
            let tasks = Set(child.leaves)
            let match = old.firstIndex { ($0.task == nil) == (child.task == nil) && !tasks.isDisjoint(with: $0.leaves) }
            guard let match else { continue }
            for layer in workbench.layers.indices {
                let source = former.values[former.range(task: match, layer: layer)]
                start.values.replaceSubrange(start.range(task: place, layer: layer), with: source)
            }
        }
        return start
    }

    /// The task vectors of a node's children: a task's from its checkpoint, a node's from its intermediate model, which is
    /// written where it is not there.
    func vectors(of node: MergeTree.Node, _ records: [String: NodeRecord]) throws -> TaskVectors {
        var sources: [any VectorSource] = []
        var active: [[Bool]] = []
        for child in node.children {
            if let place = workbench.tasks.firstIndex(where: { $0.name == child.task }) {
                sources.append(workbench.tasks[place])
                active.append(workbench.vectors.active[place])
            } else {
                let model = try model(of: child, records)
                sources.append(model)
                active.append(workbench.layers.map { !model.owns($0.name) })
            }
        }
        return try TaskVectors(base: workbench.base, tasks: sources, layers: workbench.layers, active: active)
    }

    /// A node's intermediate model from the tasks below it, so that it is rounded once, whatever lies between.
    private func model(of node: MergeTree.Node, _ records: [String: NodeRecord]) throws -> NodeModel {
        let digest = plan.digest(of: node) ?? ""
        let below = places(of: node)
        let active = below.map { workbench.vectors.active[$0] }
        let moved = workbench.layers.indices.filter { layer in active.contains { $0[layer] } }
        if let stored = store.model(digest), Set(stored.names) == Set(moved.map { workbench.layers[$0].name }) {
            return NodeModel(name: digest, checkpoint: stored)
        }
        let vectors = try TaskVectors(
            base: workbench.base, tasks: below.map { workbench.tasks[$0] }, layers: workbench.layers, active: active)
        let weights = product(tree: node, records)
        let slots = moved.map { layer in
            SafetensorsWriter.Slot(
                name: workbench.layers[layer].name, dtype: .f32, shape: workbench.layers[layer].shape)
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

    /// Coefficients of the tasks below a node, in the plan's order: the products on their ways up to it.
    func product(tree node: MergeTree.Node, _ records: [String: NodeRecord]) -> MergingWeights {
        let below = places(of: node).map { workbench.tasks[$0].name }
        var product = MergingWeights(
            taskCount: below.count, layers: workbench.layers, coefficient: 1, squash: .identity)
        for merge in node.merges {
            var own = weights(of: merge)
            if let record = plan.digest(of: merge).flatMap({ records[$0] }) { own.values = record.weights }
            for (place, child) in merge.children.enumerated() {
                for task in child.leaves {
                    guard let target = below.firstIndex(of: task) else { continue }
                    product.scale(task: target, by: own, source: place)
                }
            }
        }
        return product
    }
}

extension MergingWeights {
    /// One coefficient for all layers and rows of a source.
    fileprivate mutating func set(source: Int, to coefficient: Double) {
        for layer in rows.indices {
            for place in range(task: source, layer: layer) {
                values[place] = squash.weight(forCoefficient: coefficient)
            }
        }
    }

    /// Multiplies a task's coefficients, which are not squashed, by those of a node above it.
    fileprivate mutating func scale(task: Int, by other: MergingWeights, source: Int) {
        for layer in rows.indices {
            let factors = other.coefficients(task: source, layer: layer)
            for (place, factor) in zip(range(task: task, layer: layer), factors) { values[place] *= factor }
        }
    }
}
