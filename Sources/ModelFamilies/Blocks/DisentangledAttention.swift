internal import ExportedGraph
internal import Foundation

/// DeBERTa's attention: to the scores of contents are added those of contents with distances (He et al., arXiv
/// 2006.03654). Distances are embedded once for all layers; version 2 has logarithmic buckets (arXiv 2111.09543).
struct DisentangledAttention {
    var heads: Int
    var width: Int
    /// Contents with distances, and distances with contents.
    var hasContentToPosition: Bool
    var hasPositionToContent: Bool
    /// Version 1's names: one matrix for queries, keys and values without a bias, and biases beside it.
    var isFirst: Bool
    /// Distances go through the layers of queries and keys.
    var sharesKeys: Bool
    var isRelative: Bool

    /// The table [2 · span, width] of distances, and indices into it [tokens, tokens]: of each query's distance to each
    /// key, and of each key's to each query.
    struct Distances {
        var table: GraphValue
        var queryToKey: GraphValue
        var keyToQuery: GraphValue
    }

    func output(
        _ hidden: GraphValue, _ layer: String, _ distances: Distances?, mask: GraphValue?, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let name = "\(layer)attention.self."
        let (query, key, value) = try projections(hidden, name, graph)
        let parts = 1 + (hasContentToPosition ? 1 : 0) + (hasPositionToContent ? 1 : 0)
        let scale = 1 / Double(width * parts).squareRoot()
        let square: [Int?] = [nil, heads, nil, nil]
        var scores = graph.matmul(query, graph.transpose(graph.multiply(key, by: .double(scale)), 2, 3))
        if let distances {
            func projected(_ own: String, _ shared: String, hasBias: Bool) throws(ModelFamilyError) -> GraphValue {
                let values = try graph.linear(
                    graph.unsqueeze(distances.table, 0), name + (sharesKeys ? shared : own), heads * width,
                    hasBias: hasBias || sharesKeys)
                return graph.multiply(graph.splitHeads(values, heads), by: .double(scale))
            }
            /// Scores with each distance, read at the index of each pair.
            func read(_ contents: GraphValue, _ positions: GraphValue, _ indices: GraphValue) -> GraphValue {
                let all = graph.matmul(contents, graph.transpose(positions, 2, 3))
                let lengths = [graph.length(contents, 0), .known(heads)]
                let size = graph.length(contents, 2)
                let index = graph.expand(
                    graph.unsqueeze(graph.unsqueeze(indices, 0), 0), lengths + [size, size])
                return graph.call("gather", ["self": all.argument, "dim": .int(-1), "index": index.argument], square)
            }
            if hasContentToPosition {
                let keys = try projected(isFirst ? "pos_proj" : "pos_key_proj", "key_proj", hasBias: !isFirst)
                scores = graph.add(scores, read(query, keys, distances.queryToKey))
            }
            if hasPositionToContent {
                let queries = try projected(isFirst ? "pos_q_proj" : "pos_query_proj", "query_proj", hasBias: true)
                let turned = graph.transpose(read(key, queries, distances.keyToQuery), 2, 3)
                scores = graph.add(scores, turned)
            }
        }
        scores.shape = square
        if let mask { scores = graph.masked(scores, by: mask, square) }
        let result = graph.joinHeads(graph.matmul(graph.softmax(scores), value))
        return try graph.linear(result, "\(layer)attention.output.dense", hidden.width ?? 0)
    }

    private func projections(
        _ hidden: GraphValue, _ name: String, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> (GraphValue, GraphValue, GraphValue) {
        let wide = heads * width
        guard isFirst else {
            func part(_ part: String) throws(ModelFamilyError) -> GraphValue {
                graph.splitHeads(try graph.linear(hidden, name + part, wide), heads)
            }
            return (try part("query_proj"), try part("key_proj"), try part("value_proj"))
        }
        let joint = graph.splitHeads(try graph.linear(hidden, "\(name)in_proj", 3 * wide, hasBias: false), heads)
        func bias(_ part: String) throws(ModelFamilyError) -> GraphValue {
            let bias = try graph.parameter(name + part, [wide])
            return graph.reshape(bias, [.known(1), .known(heads), .known(1), .known(width)])
        }
        return (
            graph.add(graph.slice(joint, 3, from: 0, to: width), try bias("q_bias")),
            graph.slice(joint, 3, from: width, to: 2 * width),
            graph.add(graph.slice(joint, 3, from: 2 * width, to: 3 * width), try bias("v_bias"))
        )
    }
}

extension GraphBuilder {
    /// Distances q − k of all pairs of `tokens`, in buckets where there are any, as indices into a table of 2 · span
    /// rows.
    func distances(
        _ tokens: AxisLength, _ table: GraphValue, span: Int, buckets: Int, maximum: Int
    ) -> DisentangledAttention.Distances {
        let positions = range(tokens)
        let square = [tokens.value, tokens.value]
        var distance = call(
            "sub.Tensor", ["self": unsqueeze(positions, 1).argument, "other": unsqueeze(positions, 0).argument], square,
            "int64")
        if buckets > 0, maximum > 0 { distance = bucketed(distance, buckets: buckets, maximum: maximum) }
        func index(_ value: GraphValue) -> GraphValue {
            call(
                "clamp",
                ["self": add(value, .int(span)).argument, "min": .int(0), "max": .int(2 * span - 1)], square, "int64")
        }
        return DisentangledAttention.Distances(
            table: table, queryToKey: index(distance), keyToQuery: index(map("neg", distance)))
    }

    /// Distances up to half of the buckets as they are, longer ones by their logarithm.
    private func bucketed(_ distance: GraphValue, buckets: Int, maximum: Int) -> GraphValue {
        let half = buckets / 2
        let size = map("abs", distance)
        let isNear = call("lt.Scalar", ["self": size.argument, "other": .int(half)], distance.shape, "bool")
        let near = call(
            "where.ScalarSelf", ["condition": isNear.argument, "self": .int(half - 1), "other": size.argument],
            distance.shape, "int64")
        let wide = convert(near, to: "float32")
        let longest = map("log", constants([Double(maximum - 1) / Double(half)]))
        let share = call(
            "div.Tensor", ["self": map("log", divide(wide, by: .int(half))).argument, "other": longest.argument],
            wide.shape)
        let steps = add(map("ceil", multiply(share, by: .int(half - 1))), .int(half))
        let isExact = call("le.Scalar", ["self": near.argument, "other": .int(half)], distance.shape, "bool")
        let exact = convert(distance, to: "float32")
        let far = multiply(steps, convert(map("sign", distance), to: "float32"))
        let result = call(
            "where.self", ["condition": isExact.argument, "self": exact.argument, "other": far.argument], wide.shape)
        return convert(result, to: "int64")
    }
}
