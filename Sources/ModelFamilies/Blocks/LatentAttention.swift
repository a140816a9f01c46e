internal import ExportedGraph

/// DeepSeek's attention: queries, keys and values are made of narrow vectors, and positions turn entries of their own
/// (DeepSeek-AI, arXiv 2405.04434).
struct LatentAttention {
    var heads: Int
    /// Entries of a head of queries and keys that positions don't turn, and that they do.
    var plainWidth: Int
    var turnedWidth: Int
    var valueWidth: Int
    /// Width of the vector that queries are made of; nil where they are made of the hidden state.
    var queryRank: Int?
    var rank: Int
    var hasBias: Bool
    var norm: Norm
    var scale: Double

    func output(
        _ hidden: GraphValue, _ layer: String, rotation: Rotary.Rotation?, mask: GraphValue?, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let name = "\(layer)self_attn."
        let width = plainWidth + turnedWidth
        var query: GraphValue
        if let queryRank {
            let narrow = try graph.linear(hidden, "\(name)q_a_proj", queryRank, hasBias: hasBias)
            query = try graph.linear(
                graph.norm(narrow, "\(name)q_a_layernorm", norm), "\(name)q_b_proj", heads * width, hasBias: false)
        } else {
            query = try graph.linear(hidden, "\(name)q_proj", heads * width, hasBias: false)
        }
        query = graph.splitHeads(query, heads)
        let narrow = try graph.linear(hidden, "\(name)kv_a_proj_with_mqa", rank + turnedWidth, hasBias: hasBias)
        let compressed = try graph.norm(graph.slice(narrow, 2, from: 0, to: rank), "\(name)kv_a_layernorm", norm)
        let both = graph.splitHeads(
            try graph.linear(compressed, "\(name)kv_b_proj", heads * (plainWidth + valueWidth), hasBias: false), heads)
        var position = graph.unsqueeze(graph.slice(narrow, 2, from: rank, to: rank + turnedWidth), 1)
        var turned = graph.slice(query, 3, from: plainWidth, to: width)
        if let rotation { (turned, position) = (graph.turned(turned, rotation), graph.turned(position, rotation)) }
        query = graph.join(graph.slice(query, 3, from: 0, to: plainWidth), turned, axis: 3)
        let key = graph.join(
            graph.slice(both, 3, from: 0, to: plainWidth), graph.repeatHeads(position, times: heads), axis: 3)
        let value = graph.slice(both, 3, from: plainWidth, to: plainWidth + valueWidth)
        let result = graph.joinHeads(graph.attention(query, key, value, mask: mask, scale: scale))
        return try graph.linear(result, "\(name)o_proj", hidden.width ?? 0, hasBias: hasBias)
    }
}
