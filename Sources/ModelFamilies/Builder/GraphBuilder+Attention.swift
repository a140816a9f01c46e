internal import ExportedGraph

extension GraphBuilder {
    /// [batch, tokens, heads · width] as [batch, heads, tokens, width].
    func splitHeads(_ value: GraphValue, _ heads: Int) -> GraphValue {
        let width = (value.width ?? 0) / heads
        let split = reshape(value, [length(value, 0), length(value, 1), .known(heads), .known(width)])
        return transpose(split, 1, 2)
    }

    /// [batch, heads, tokens, width] as [batch, tokens, heads · width].
    func joinHeads(_ value: GraphValue) -> GraphValue {
        let joined = transpose(value, 1, 2)
        let width = (value.shape[1] ?? 0) * (value.width ?? 0)
        return reshape(joined, [length(joined, 0), length(joined, 1), .known(width)])
    }

    /// Each head of keys or values as many times in a row as queries share it (Ainslie et al., arXiv 2305.13245).
    func repeatHeads(_ value: GraphValue, times: Int) -> GraphValue {
        guard times > 1, let heads = value.shape[1], let width = value.width else { return value }
        let (batch, tokens) = (length(value, 0), length(value, 2))
        let repeated = expand(
            unsqueeze(value, 2), [batch, .known(heads), .known(times), tokens, .known(width)])
        return reshape(repeated, [batch, .known(heads * times), tokens, .known(width)])
    }

    /// softmax(scale · Q·Kᵀ + mask)·V for tensors [batch, heads, tokens, width]. A mask of truth values lets through
    /// what is true, one of numbers is added; it broadcasts over [batch, heads, queries, keys].
    func attention(
        _ query: GraphValue, _ key: GraphValue, _ value: GraphValue, mask: GraphValue?, scale: Double
    ) -> GraphValue {
        call(
            "scaled_dot_product_attention",
            [
                "query": query.argument, "key": key.argument, "value": value.argument,
                "attn_mask": mask?.argument ?? .none, "scale": .double(scale),
            ], query.shape.dropLast() + [value.width])
    }

    /// The same where scores are capped or sinks take part: each step an operator of its own. `sinks` [heads].
    func plainAttention(
        _ query: GraphValue, _ key: GraphValue, _ value: GraphValue, mask: GraphValue?, scale: Double,
        softCap: Double?, sinks: GraphValue?
    ) -> GraphValue {
        let square = Array(query.shape.dropLast()) + [key.shape[2]]
        var scores = matmul(query, transpose(key, 2, 3))
        scores.shape = square
        scores = multiply(scores, by: .double(scale))
        if let softCap {
            scores = multiply(map("tanh", divide(scores, by: .double(softCap))), by: .double(softCap))
        }
        if let mask { scores = add(scores, lowered(mask)) }
        guard let sinks else { return matmul(softmax(scores), value) }
        let heads = query.shape[1] ?? 0
        let column = reshape(sinks, [.known(1), .known(heads), .known(1), .known(1)])
        let all = expand(column, [length(query, 0), .known(heads), length(query, 2), .known(1)])
        let wide = softmax(join([scores, all], axis: 3))
        let shares = call(
            "slice.Tensor", ["self": wide.argument, "dim": .int(3), "start": .int(0), "end": .int(-1)], square)
        return matmul(shares, value)
    }

    /// Attention of tokens to those of `source` through four linear layers, queries scaled by 1/√width unless `scale`
    /// says otherwise.
    func attention(
        _ tokens: GraphValue, to source: GraphValue? = nil, _ names: AttentionNames, heads: Int, width: Int,
        mask: GraphValue?, scale: Double? = nil, hasBias: Bool = true, hasOutputBias: Bool? = nil
    ) throws(ModelFamilyError) -> GraphValue {
        let source = source ?? tokens
        let query = splitHeads(try linear(tokens, names.query, heads * width, hasBias: hasBias), heads)
        let key = splitHeads(try linear(source, names.key, heads * width, hasBias: hasBias), heads)
        let value = splitHeads(try linear(source, names.value, heads * width, hasBias: hasBias), heads)
        let result = attention(
            query, key, value, mask: mask, scale: scale ?? 1 / Double(width).squareRoot())
        return try linear(joinHeads(result), names.output, tokens.width ?? 0, hasBias: hasOutputBias ?? hasBias)
    }

    /// [batch, tokens] of zeros and others as a mask [batch, 1, 1, tokens] of truth values: what is not zero is seen.
    func paddingMask(_ mask: GraphValue) -> GraphValue {
        let seen = call("ne.Scalar", ["self": mask.argument, "other": .int(0)], mask.shape, "bool")
        return unsqueeze(unsqueeze(seen, 1), 2)
    }

    /// A mask [tokens, tokens] of truth values: each sees itself and those before it.
    func causalMask(_ tokens: GraphValue) -> GraphValue {
        let length = length(tokens, 1)
        let places = range(length)
        return call(
            "le.Tensor", ["self": unsqueeze(places, 0).argument, "other": unsqueeze(places, 1).argument],
            [length.value, length.value], "bool")
    }

    /// The causal mask and that of padding together, [batch, 1, tokens, tokens]. `window`: tokens that each sees,
    /// itself the last.
    func causalMask(_ tokens: GraphValue, padding: GraphValue, window: Int? = nil) -> GraphValue {
        var (causal, seen) = (causalMask(tokens), paddingMask(padding))
        if let window {
            let positions = range(length(tokens, 1))
            let distance = call(
                "sub.Tensor", ["self": unsqueeze(positions, 1).argument, "other": unsqueeze(positions, 0).argument],
                causal.shape, "int64")
            let isNear = call("lt.Scalar", ["self": distance.argument, "other": .int(window)], causal.shape, "bool")
            causal = call("__and__.Tensor", ["self": causal.argument, "other": isNear.argument], causal.shape, "bool")
        }
        return call(
            "__and__.Tensor", ["self": causal.argument, "other": seen.argument],
            [padding.shape[0], 1, causal.shape[0], causal.shape[1]], "bool")
    }

    /// 0 where the mask is true, and the lowest float32 elsewhere. It is added to scores, as in transformers: a token
    /// that sees nothing attends to all alike, and gradients flow through its scores.
    func lowered(_ mask: GraphValue) -> GraphValue {
        call(
            "where.Scalar",
            [
                "condition": mask.argument, "self": .double(0),
                "other": .double(-Double(Float.greatestFiniteMagnitude)),
            ], mask.shape)
    }

    /// `bias` where the mask is true, and the lowest float32 elsewhere.
    func masked(_ bias: GraphValue, by mask: GraphValue, _ shape: [Int?]) -> GraphValue {
        call(
            "where.ScalarOther",
            [
                "condition": mask.argument, "self": bias.argument,
                "other": .double(-Double(Float.greatestFiniteMagnitude)),
            ], shape)
    }
}

/// Names of the four linear layers of an attention.
struct AttentionNames {
    var query: String
    var key: String
    var value: String
    var output: String

    /// Layers that lie under one name.
    init(_ prefix: String, _ query: String, _ key: String, _ value: String, _ output: String) {
        self.query = prefix + query
        self.key = prefix + key
        self.value = prefix + value
        self.output = prefix + output
    }
}
