internal import ExportedGraph

/// A mixture of experts: a router chooses some of the feed-forward parts for each token and adds them with its weights
/// (Shazeer et al., arXiv 1701.06538; Fedus et al., arXiv 2101.03961). Every expert computes every token; those that
/// are not chosen have weight 0.
struct Experts {
    enum Scoring {
        /// Softmax over all, then the largest; `normalises`: divided by their sum.
        case softmax(normalises: Bool)
        /// Softmax over all, then the largest of the groups with the best experts, times `scale` (DeepSeek-V2, arXiv
        /// 2405.04434).
        case groupedSoftmax(groups: Int, chosenGroups: Int, scale: Double)
        /// The largest scores, then softmax over these.
        case chosenSoftmax
        /// Sigmoid; the largest of score + bias among the best groups, times `scale` (DeepSeek-V3, arXiv 2412.19437).
        case sigmoid(bias: String, groups: Int, chosenGroups: Int, normalises: Bool, scale: Double)
    }

    enum Form {
        /// A feed-forward part with names of its own for each: `beginning.N.`.
        case single(String, FeedForward)
        /// gpt-oss: all in one tensor each, [experts, in, out] with biases, gate and up alternating; both are limited,
        /// and the activation is x·σ(α x)·(up + 1).
        case fused(String, inner: Int, alpha: Double, limit: Double)
    }

    var count: Int
    var chosen: Int
    var router: String
    var hasRouterBias = false
    var scoring: Scoring
    var form: Form
    /// A feed-forward part that every token goes through as well.
    var shared: FeedForward?
    /// The layer [1, width] whose sigmoid multiplies what that part gives; nil: nothing does.
    var sharedGate: String?

    func output(
        _ hidden: GraphValue, _ layer: String, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let shares = try shares(hidden, layer, graph)
        var sum: GraphValue?
        func add(_ value: GraphValue) { sum = sum.map { graph.add($0, value) } ?? value }
        for index in 0..<count {
            let result: GraphValue
            switch form {
            case .single(let name, let part):
                result = try part.output(hidden, "\(layer)\(name).\(index).", graph)
            case .fused(let name, let inner, let alpha, let limit):
                result = try fused(
                    hidden, layer + name, index, inner: inner, alpha: alpha, limit: limit, graph)
            }
            add(graph.multiply(result, graph.slice(shares, 2, from: index, to: index + 1)))
        }
        if let shared { add(try gated(shared.output(hidden, layer, graph), by: hidden, layer, graph)) }
        return sum ?? hidden
    }

    private func gated(
        _ value: GraphValue, by hidden: GraphValue, _ layer: String, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        guard let sharedGate else { return value }
        return graph.multiply(
            value, graph.map("sigmoid", try graph.linear(hidden, layer + sharedGate, 1, hasBias: false)))
    }

    /// The weight of each expert for each token [batch, tokens, experts], 0 for those that are not chosen.
    private func shares(
        _ hidden: GraphValue, _ layer: String, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let scores = try graph.linear(hidden, layer + router, count, hasBias: hasRouterBias)
        let rows = scores.shape.dropLast()
        var (values, indices): (GraphValue, GraphValue)
        var factor = 1.0
        switch scoring {
        case .softmax(let normalises):
            (values, indices) = graph.largest(graph.softmax(scores), chosen)
            if normalises { values = graph.shares(values, epsilon: 0) }
        case .groupedSoftmax(let groups, let chosenGroups, let scale):
            let shares = graph.softmax(scores)
            let ranked =
                chosenGroups < groups
                ? graph.amongBestGroups(shares, groups: groups, chosen: chosenGroups, by: 1) : shares
            (values, indices) = graph.largest(ranked, chosen)
            factor = scale
        case .chosenSoftmax:
            (values, indices) = graph.largest(scores, chosen)
            values = graph.softmax(values)
        case .sigmoid(let bias, let groups, let chosenGroups, let normalises, let scale):
            let shares = graph.map("sigmoid", scores)
            // Trained by a rule of its own; it decides the choice alone.
            let shift = try graph.parameter(layer + bias, [count])
            var ranked = graph.add(shares, shift)
            if chosenGroups < groups {
                ranked = graph.amongBestGroups(ranked, groups: groups, chosen: chosenGroups)
            }
            indices = graph.largest(ranked, chosen).1
            values = graph.call(
                "gather", ["self": shares.argument, "dim": .int(-1), "index": indices.argument], rows + [chosen])
            if normalises { values = graph.shares(values, epsilon: 1e-20) }
            factor = scale
        }
        let zeros = graph.multiply(scores, by: .double(0))
        let placed = graph.call(
            "scatter.src",
            ["self": zeros.argument, "dim": .int(-1), "index": indices.argument, "src": values.argument], scores.shape)
        return factor == 1 ? placed : graph.multiply(placed, by: .double(factor))
    }

    private func fused(
        _ hidden: GraphValue, _ name: String, _ index: Int, inner: Int, alpha: Double, limit: Double,
        _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let width = hidden.width ?? 0
        func linear(_ value: GraphValue, _ part: String, _ inputs: Int, _ outputs: Int) throws(ModelFamilyError)
            -> GraphValue
        {
            let weights = try graph.parameter("\(name).\(part)", [count, inputs, outputs])
            let biases = try graph.parameter("\(name).\(part)_bias", [count, outputs])
            let product = graph.matmul(value, graph.select(weights, 0, index))
            return graph.add(product, graph.select(biases, 0, index))
        }
        let both = try linear(hidden, "gate_up_proj", width, 2 * inner)
        let pairs = graph.reshape(
            both, [graph.length(both, 0), graph.length(both, 1), .known(inner), .known(2)])
        let gate = graph.call(
            "clamp", ["self": graph.select(pairs, 3, 0).argument, "max": .double(limit)],
            both.shape.dropLast() + [inner])
        let up = graph.call(
            "clamp",
            ["self": graph.select(pairs, 3, 1).argument, "min": .double(-limit), "max": .double(limit)], gate.shape)
        let gated = graph.multiply(gate, graph.map("sigmoid", graph.multiply(gate, by: .double(alpha))))
        return try linear(graph.multiply(graph.add(up, .int(1)), gated), "down_proj", inner, width)
    }
}

extension GraphBuilder {
    /// The largest values along the last axis and where they are.
    func largest(_ value: GraphValue, _ count: Int) -> (GraphValue, GraphValue) {
        let shape = Array(value.shape.dropLast()) + [count]
        return call(
            "topk", ["self": value.argument, "k": .int(count), "dim": .int(-1)], (shape, value.dtype), (shape, "int64"))
    }

    /// Values divided by their sum along the last axis.
    func shares(_ value: GraphValue, epsilon: Double) -> GraphValue {
        let sum = call(
            "sum.dim_IntList", ["self": value.argument, "dim": .list([.int(-1)]), "keepdim": .bool(true)],
            value.shape.dropLast() + [1])
        let divisor = epsilon == 0 ? sum : add(sum, .double(epsilon))
        return call("div.Tensor", ["self": value.argument, "other": divisor.argument], value.shape)
    }

    /// The scores [batch, tokens, n] with the lowest number in all groups but those whose `best` best have the largest
    /// sums.
    fileprivate func amongBestGroups(
        _ scores: GraphValue, groups: Int, chosen: Int, by best: Int = 2
    ) -> GraphValue {
        let count = (scores.width ?? 0) / groups
        let lengths = [length(scores, 0), length(scores, 1)]
        let grouped = reshape(scores, lengths + [.known(groups), .known(count)])
        let sums = sum(largest(grouped, best).0, axis: 3)
        let indices = largest(sums, chosen).1
        let zeros = multiply(sums, by: .double(0))
        let marked = call(
            "scatter.value", ["self": zeros.argument, "dim": .int(-1), "index": indices.argument, "value": .int(1)],
            sums.shape)
        let isChosen = call("ne.Scalar", ["self": marked.argument, "other": .int(0)], sums.shape, "bool")
        let wide = unsqueeze(isChosen, 3)
        let kept = masked(grouped, by: wide, grouped.shape)
        return reshape(kept, lengths + [.known(groups * count)])
    }
}
