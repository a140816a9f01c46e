internal import ExportedGraph
internal import Foundation

/// The layers of T5's encoder and decoder: norms before each part, attention that is not scaled and to which a bias by distance is
/// added, the same in every layer.
struct T5Stack {
    private let width: Int
    private let headWidth: Int
    private let heads: Int
    private let inner: Int
    private let epsilon: Double
    private let activation: Activation
    private let isGated: Bool
    private let buckets: Int
    private let longest: Int

    init(_ configuration: ModelConfiguration, width: Int) throws(ModelFamilyError) {
        self.width = width
        headWidth = try configuration.count("d_kv", default: 64)
        heads = try configuration.count("num_heads", default: 8)
        inner = try configuration.count("d_ff", default: 2048)
        epsilon = try configuration.number("layer_norm_epsilon", default: 1e-6)
        buckets = try configuration.count("relative_attention_num_buckets", default: 32)
        longest = try configuration.count("relative_attention_max_distance", default: 128)
        guard buckets.isMultiple(of: 2), buckets >= 4, longest > buckets / 2 else {
            throw configuration.unsupported(
                "relative_attention_num_buckets",
                "is \(buckets) at a longest distance of \(longest), which can't be divided as T5 does")
        }
        let form = try configuration.text("feed_forward_proj", default: "relu")
        isGated = form.hasPrefix("gated-")
        let name = form == "gated-gelu" ? "gelu_new" : isGated ? String(form.dropFirst("gated-".count)) : form
        guard let activation = Activation.named(name) else {
            throw configuration.unsupported("feed_forward_proj", "is \"\(form)\", which is not built here")
        }
        self.activation = activation
        // Written from the form by transformers, which believes them more than it.
        try configuration.demand("dense_act_fn", oneOf: [.string(name)])
        try configuration.demand("is_gated_act", oneOf: [.bool(isGated)])
    }

    /// The encoder's output [batch, tokens, width] of embedded tokens.
    func encoder(
        _ embedded: GraphValue, padding: GraphValue, layers: Int, _ draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let seen = draft.paddingMask(padding)
        let bias = try distanceBias(embedded, "encoder", isTwoSided: true, draft)
        let mask = draft.masked(bias, by: seen, [nil, heads, nil, nil])
        var hidden = embedded
        for index in 0..<layers {
            let layer = "encoder.block.\(index).layer."
            hidden = try attend(hidden, to: nil, "\(layer)0.", "SelfAttention", mask, draft)
            hidden = try feed(hidden, "\(layer)1.", draft)
        }
        return try draft.rmsNorm(hidden, "encoder.final_layer_norm.weight", epsilon: epsilon)
    }

    /// The decoder's output [batch, targets, width] of embedded targets, which see what comes before them and all of `encoded`
    /// that is no padding.
    func decoder(
        _ embedded: GraphValue, _ targets: GraphValue, of encoded: GraphValue, padding: GraphValue, layers: Int,
        _ draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let bias = try distanceBias(embedded, "decoder", isTwoSided: false, draft)
        let mask = draft.masked(bias, by: draft.causalMask(targets), [1, heads, nil, nil])
        let seen = draft.paddingMask(padding)
        let none = draft.multiply(draft.convert(seen, to: "float32"), by: .double(0))
        let crossMask = draft.masked(none, by: seen, none.shape)
        var hidden = embedded
        for index in 0..<layers {
            let layer = "decoder.block.\(index).layer."
            hidden = try attend(hidden, to: nil, "\(layer)0.", "SelfAttention", mask, draft)
            hidden = try attend(hidden, to: encoded, "\(layer)1.", "EncDecAttention", crossMask, draft)
            hidden = try feed(hidden, "\(layer)2.", draft)
        }
        return try draft.rmsNorm(hidden, "decoder.final_layer_norm.weight", epsilon: epsilon)
    }

    private func attend(
        _ hidden: GraphValue, to source: GraphValue?, _ layer: String, _ name: String, _ mask: GraphValue,
        _ draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let normed = try draft.rmsNorm(hidden, "\(layer)layer_norm.weight", epsilon: epsilon)
        let attended = try draft.attention(
            normed, to: source, AttentionNames("\(layer)\(name).", "q", "k", "v", "o"), heads: heads, width: headWidth,
            mask: mask, scale: 1, hasBias: false)
        return draft.add(hidden, attended)
    }

    private func feed(
        _ hidden: GraphValue, _ layer: String, _ draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let normed = try draft.rmsNorm(hidden, "\(layer)layer_norm.weight", epsilon: epsilon)
        let part = "\(layer)DenseReluDense."
        let changed =
            isGated
            ? try draft.gatedFeedForward(
                normed, ("\(part)wi_0", "\(part)wi_1", "\(part)wo"), width: inner, activation)
            : try draft.feedForward(normed, ("\(part)wi", "\(part)wo"), width: inner, activation, hasBias: false)
        return draft.add(hidden, changed)
    }

    /// [1, heads, tokens, tokens]: a trained number for each head and each bucket of distances, half of them single distances
    /// and half growing with the logarithm up to the longest.
    private func distanceBias(
        _ embedded: GraphValue, _ name: String, isTwoSided: Bool, _ draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let places = draft.range(draft.length(embedded, 1))
        let (from, to) = (draft.unsqueeze(places, 1), draft.unsqueeze(places, 0))
        let square: [Int?] = [nil, nil]
        func int(_ target: String, _ arguments: KeyValuePairs<String, GraphArgument>) -> GraphValue {
            draft.call(target, arguments, square, "int64")
        }
        let offset = int("sub.Tensor", ["self": to.argument, "other": from.argument])
        let count = isTwoSided ? buckets / 2 : buckets
        let exact = count / 2
        let distance =
            isTwoSided
            ? int("abs", ["self": offset.argument])
            : int("clamp", ["self": int("neg", ["self": offset.argument]).argument, "min": .int(0)])
        let isNear = draft.call("lt.Scalar", ["self": distance.argument, "other": .int(exact)], square, "bool")
        let logarithm = draft.map("log", draft.divide(draft.convert(distance, to: "float32"), by: .int(exact)))
        let share = draft.divide(logarithm, by: .double(log(Double(longest) / Double(exact))))
        let step = draft.convert(draft.multiply(share, by: .int(count - exact)), to: "int64")
        let far = int("clamp", ["self": draft.add(step, .int(exact)).argument, "max": .int(count - 1)])
        var bucket = int(
            "where.self", ["condition": isNear.argument, "self": distance.argument, "other": far.argument])
        if isTwoSided {
            let isAfter = draft.call("gt.Scalar", ["self": offset.argument, "other": .int(0)], square, "bool")
            bucket = draft.add(draft.multiply(draft.convert(isAfter, to: "int64"), by: .int(count)), bucket)
        }
        let table = try draft.parameter(
            "\(name).block.0.layer.0.SelfAttention.relative_attention_bias.weight", [buckets, heads])
        let values = draft.embedding(bucket, table)
        let byHead = draft.call(
            "permute", ["self": values.argument, "dims": .list([.int(2), .int(0), .int(1)])], [heads, nil, nil])
        return draft.unsqueeze(byHead, 0)
    }
}
