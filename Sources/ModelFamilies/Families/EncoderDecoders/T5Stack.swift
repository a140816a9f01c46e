internal import ExportedGraph

/// The layers of T5's encoder and decoder: norms before each part, attention that is not scaled and to which a bias by
/// distance is added, the same in every layer.
struct T5Stack {
    private let prefix: String
    private let width: Int
    private let headWidth: Int
    private let heads: Int
    private let inner: Int
    private let epsilon: Double
    private let activation: Activation
    private let isGated: Bool
    private let buckets: Int
    private let longest: Int
    /// Every layer has a table of its own (umT5); else the first one's serves all.
    private let hasOwnBiases: Bool

    init(
        _ configuration: ModelConfiguration, width: Int, prefix: String, hasOwnBiases: Bool
    ) throws(ModelFamilyError) {
        self.prefix = prefix
        self.hasOwnBiases = hasOwnBiases
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
        var mask: GraphValue?
        var hidden = embedded
        for index in 0..<layers {
            let layer = "\(prefix)encoder.block.\(index).layer."
            if hasOwnBiases || index == 0 { mask = try self.mask(embedded, "encoder", index, seen: seen, draft) }
            hidden = try attend(hidden, to: nil, "\(layer)0.", "SelfAttention", mask, draft)
            hidden = try feed(hidden, "\(layer)1.", draft)
        }
        return try draft.rmsNorm(hidden, "\(prefix)encoder.final_layer_norm.weight", epsilon: epsilon)
    }

    /// The decoder's output [batch, targets, width] of embedded targets, which see what comes before them and all of
    /// `encoded` that is no padding.
    func decoder(
        _ embedded: GraphValue, _ targets: GraphValue, of encoded: GraphValue, padding: GraphValue, layers: Int,
        _ draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let seen = draft.paddingMask(padding)
        let none = draft.multiply(draft.convert(seen, to: "float32"), by: .double(0))
        let crossMask = draft.masked(none, by: seen, none.shape)
        let causal = draft.causalMask(targets)
        var mask: GraphValue?
        var hidden = embedded
        for index in 0..<layers {
            let layer = "\(prefix)decoder.block.\(index).layer."
            if hasOwnBiases || index == 0 { mask = try self.mask(embedded, "decoder", index, seen: causal, draft) }
            hidden = try attend(hidden, to: nil, "\(layer)0.", "SelfAttention", mask, draft)
            hidden = try attend(hidden, to: encoded, "\(layer)1.", "EncDecAttention", crossMask, draft)
            hidden = try feed(hidden, "\(layer)2.", draft)
        }
        return try draft.rmsNorm(hidden, "\(prefix)decoder.final_layer_norm.weight", epsilon: epsilon)
    }

    private func attend(
        _ hidden: GraphValue, to source: GraphValue?, _ layer: String, _ name: String, _ mask: GraphValue?,
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

    /// The bias by distance where a token is seen, of the table of a layer.
    private func mask(
        _ embedded: GraphValue, _ name: String, _ index: Int, seen: GraphValue, _ draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let bias = try draft.distanceBias(
            draft.length(embedded, 1), "\(prefix)\(name).block.\(index).layer.0.SelfAttention.relative_attention_bias",
            buckets: buckets, maximum: longest, heads: heads, isTwoSided: name == "encoder")
        return draft.masked(bias, by: seen, [name == "encoder" ? nil : 1, heads, nil, nil])
    }
}
