internal import ExportedGraph
import Foundation

/// Attention of tokens among themselves, with fewer heads of keys and values than of queries where the model has them
/// (Ainslie et al., arXiv 2305.13245).
struct SelfAttention {
    /// How queries, keys and values lie in the files.
    enum Layout {
        /// Three matrices.
        case separate
        /// One matrix: all queries, then all keys, then all values.
        case sections(String)
        /// One matrix: for each head of keys its queries, its key and its value.
        case groups(String)
    }

    var heads: Int
    var sharedHeads: Int
    var width: Int
    var layout = Layout.separate
    var names = AttentionNames("self_attn.", "q_proj", "k_proj", "v_proj", "o_proj")
    var hasBias = false
    /// False where queries and values have a bias, and keys have none (BEiT).
    var hasKeyBias = true
    var hasOutputBias = false
    /// Matrices lie as [in, out].
    var isTransposed = false
    /// Factor of the scores.
    var scale: Double
    /// Queries, keys and values are clamped to ± this.
    var clip: Double?
    /// The scores become cap · tanh(score / cap).
    var softCap: Double?
    /// A trained score for each head that takes its share of the softmax and adds nothing, by the parameter's name.
    var sinks: String?
    var queryKeyNorm: QueryKeyNorm?
    /// The scores are cosines times a trained factor for each head, the name of whose logarithm [heads, 1, 1] this is.
    /// The factor is at most 100. `scale` is not used (Swin 2).
    var cosineScale: String?
    /// A norm of what goes into the output layer.
    var innerNorm: (name: String, norm: Norm)?

    init(heads: Int, sharedHeads: Int? = nil, width: Int) {
        self.heads = heads
        self.sharedHeads = sharedHeads ?? heads
        self.width = width
        scale = 1 / Double(width).squareRoot()
    }

    /// The output [batch, tokens, width] for `hidden`, which reads itself, or `source` where that is given and the
    /// matrices are separate. `layer` is the beginning of the names; `queryScale` [tokens, 1] multiplies the queries
    /// where there is one.
    func output(
        _ hidden: GraphValue, to source: GraphValue? = nil, _ layer: String, rotation: Rotary.Rotation? = nil,
        mask: GraphValue?, queryScale: GraphValue? = nil, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        var (query, key, value) = try projections(hidden, source ?? hidden, layer, graph)
        if let norm = queryKeyNorm, !norm.isAfterRotation { (query, key) = try norm.apply(query, key, layer, graph) }
        if let rotation { (query, key) = (graph.turned(query, rotation), graph.turned(key, rotation)) }
        if let norm = queryKeyNorm, norm.isAfterRotation { (query, key) = try norm.apply(query, key, layer, graph) }
        if let queryScale { query = graph.multiply(query, queryScale) }
        if let cosineScale {
            let logarithm = try graph.parameter(layer + cosineScale, [heads, 1, 1])
            let factor = graph.map(
                "exp",
                graph.call(
                    "clamp", ["self": logarithm.argument, "max": .double(log(100))], logarithm.shape))
            (query, key) = (graph.multiply(graph.unit(query), factor), graph.unit(key))
        }
        let times = heads / sharedHeads
        (key, value) = (graph.repeatHeads(key, times: times), graph.repeatHeads(value, times: times))
        var result: GraphValue
        if softCap != nil || sinks != nil {
            let sink = try sinks.map { name throws(ModelFamilyError) in try graph.parameter(layer + name, [heads]) }
            result = graph.plainAttention(
                query, key, value, mask: mask, scale: scale, softCap: softCap, sinks: sink)
        } else {
            result = graph.attention(query, key, value, mask: mask, scale: cosineScale == nil ? scale : 1)
        }
        result = graph.joinHeads(result)
        if let innerNorm { result = try graph.norm(result, layer + innerNorm.name, innerNorm.norm) }
        return try graph.linear(
            result, layer + names.output, hidden.width ?? 0, hasBias: hasOutputBias, isTransposed: isTransposed)
    }

    /// Queries [batch, heads, tokens, width], keys and values.
    private func projections(
        _ hidden: GraphValue, _ source: GraphValue, _ layer: String, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> (GraphValue, GraphValue, GraphValue) {
        func linear(
            _ name: String, _ outputs: Int, of input: GraphValue? = nil, isKey: Bool = false
        ) throws(ModelFamilyError) -> GraphValue {
            let value = try graph.linear(
                input ?? hidden, layer + name, outputs, hasBias: hasBias && (!isKey || hasKeyBias),
                isTransposed: isTransposed)
            guard let clip else { return value }
            return graph.call(
                "clamp", ["self": value.argument, "min": .double(-clip), "max": .double(clip)], value.shape)
        }
        let (queries, keys) = (heads * width, sharedHeads * width)
        switch layout {
        case .separate:
            var query = try linear(names.query, queries)
            var key = try linear(names.key, keys, of: source, isKey: true)
            if let norm = queryKeyNorm { (query, key) = try norm.applyWhole(query, key, layer, graph) }
            let value = try linear(names.value, keys, of: source)
            return (
                graph.splitHeads(query, heads), graph.splitHeads(key, sharedHeads), graph.splitHeads(value, sharedHeads)
            )
        case .sections(let name):
            let joint = try linear(name, queries + 2 * keys)
            func part(_ start: Int, _ heads: Int) -> GraphValue {
                graph.splitHeads(graph.slice(joint, 2, from: start, to: start + heads * width), heads)
            }
            return (part(0, heads), part(queries, sharedHeads), part(queries + keys, sharedHeads))
        case .groups(let name):
            let joint = try linear(name, queries + 2 * keys)
            let times = heads / sharedHeads
            let (batch, tokens) = (graph.length(hidden, 0), graph.length(hidden, 1))
            let grouped = graph.reshape(
                joint, [batch, tokens, .known(sharedHeads), .known(times + 2), .known(width)])
            func part(_ start: Int, _ count: Int) -> GraphValue {
                let values = graph.slice(grouped, 3, from: start, to: start + count)
                let flat = graph.reshape(values, [batch, tokens, .known(sharedHeads * count), .known(width)])
                return graph.transpose(flat, 1, 2)
            }
            return (part(0, times), part(times, 1), part(times + 1, 1))
        }
    }
}

/// A norm of queries and keys.
struct QueryKeyNorm {
    enum Extent {
        /// The entries of each head, with a weight that the heads share.
        case head
        /// The entries of each head, with a table of weights [heads, width].
        case table
        /// The entries of each head, with a module `norms.N` for each.
        case modules
        /// All heads together.
        case whole
    }

    var extent = Extent.head
    var norm: Norm
    var query = "self_attn.q_norm"
    var key = "self_attn.k_norm"
    var isAfterRotation = false

    /// Of all heads together, on [batch, tokens, heads · width].
    func applyWhole(
        _ query: GraphValue, _ key: GraphValue, _ layer: String, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> (GraphValue, GraphValue) {
        guard extent == .whole else { return (query, key) }
        return (try graph.norm(query, layer + self.query, norm), try graph.norm(key, layer + self.key, norm))
    }

    /// Of each head, on [batch, heads, tokens, width].
    func apply(
        _ query: GraphValue, _ key: GraphValue, _ layer: String, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> (GraphValue, GraphValue) {
        (try apply(query, layer + self.query, graph), try apply(key, layer + self.key, graph))
    }

    private func apply(
        _ heads: GraphValue, _ name: String, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let (count, width) = (heads.shape[1] ?? 0, heads.width ?? 0)
        switch extent {
        case .whole: return heads
        case .head: return try graph.norm(heads, name, norm)
        case .table:
            let weight = try graph.parameter("\(name).weight", [count, width])
            let plain = graph.layerNorm(heads, nil, nil, epsilon: norm.epsilon)
            return graph.multiply(plain, graph.unsqueeze(weight, 1))
        case .modules:
            var normed: [GraphValue] = []
            for index in 0..<count {
                let head = graph.slice(heads, 1, from: index, to: index + 1)
                normed.append(try graph.norm(head, "\(name).norms.\(index)", norm))
            }
            return graph.join(normed, axis: 1)
        }
    }
}
