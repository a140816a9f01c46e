/// Differences of a family from Llama in what the usual keys say when they are absent, and in what they are called.
struct DecoderDefaults {
    var vocabulary = 32_000
    var width = 4096
    var inner = 11_008
    var layers = 32
    var heads = 32
    /// Heads of keys and values; nil: as many as of queries.
    var sharedHeads: Int?
    var headWidth: Int?
    /// Whether `head_dim` is read at all.
    var readsHeadWidth = true
    var activation = (key: "hidden_act", name: "silu")
    var epsilon = (key: "rms_norm_eps", value: 1e-6)
    var theta = 10_000.0
    var partial: Double?
    var isInterleaved = false
    var isTied = false
    var attentionBias = false
}

extension DecoderOptions {
    /// What the keys of Llama, which most later families share, say: RMS norms before each part, rotary positions,
    /// gated feed-forward parts. `rotary`: false where the family reads its angles itself.
    static func usual(
        _ configuration: ModelConfiguration, _ defaults: DecoderDefaults = DecoderDefaults(), rotary: Bool = true
    ) throws(ModelFamilyError) -> DecoderOptions {
        let vocabulary = try configuration.count("vocab_size", default: defaults.vocabulary)
        let width = try configuration.count("hidden_size", default: defaults.width)
        let heads = try configuration.count("num_attention_heads", default: defaults.heads)
        let shared = try configuration.count("num_key_value_heads", default: defaults.sharedHeads ?? heads)
        guard heads.isMultiple(of: shared) else {
            throw configuration.unsupported("num_key_value_heads", "is \(shared), which does not divide \(heads)")
        }
        let given = defaults.readsHeadWidth ? try configuration.count("head_dim") : nil
        let headWidth: Int
        if let own = given ?? defaults.headWidth {
            headWidth = own
        } else {
            headWidth = try configuration.headWidth(width, heads: heads, key: "num_attention_heads")
        }
        var attention = SelfAttention(heads: heads, sharedHeads: shared, width: headWidth)
        attention.hasBias = try configuration.flag("attention_bias", default: defaults.attentionBias)
        attention.hasOutputBias = attention.hasBias
        let feedForward = FeedForward(
            form: .gated, inner: try configuration.count("intermediate_size", default: defaults.inner),
            activation: try configuration.activation(defaults.activation.key, default: defaults.activation.name),
            hasBias: try configuration.flag("mlp_bias", default: false))
        let norm = Norm.rms(
            try configuration.number(defaults.epsilon.key, default: defaults.epsilon.value))
        let layer = TransformerLayer(attention: attention, feedForward: feedForward, norm: norm)
        var options = DecoderOptions(
            vocabulary: vocabulary, width: width,
            layers: try configuration.count("num_hidden_layers", default: defaults.layers), layer: layer,
            isTied: try configuration.flag("tie_word_embeddings", default: defaults.isTied),
            padding: try configuration.padding("pad_token_id", default: nil, rows: vocabulary))
        if rotary {
            options.rotaries = [
                try Rotary(
                    configuration, headWidth: headWidth, theta: defaults.theta, partial: defaults.partial,
                    isInterleaved: defaults.isInterleaved)
            ]
            options.queryGrowth = options.rotaries[0].scaling.queryGrowth
        }
        return options
    }
}

extension RotaryScaling {
    /// Ministral's growth of the queries with the position.
    var queryGrowth: (beta: Double, context: Int)? {
        guard case .yarn(let yarn) = self, let beta = yarn.queryGrowth else { return nil }
        return (beta, yarn.context)
    }
}

extension ModelConfiguration {
    /// A count whose key may be null to say that there is none; `standard` where the key is absent.
    func optionalCount(_ key: String, default standard: Int? = nil) throws(ModelFamilyError) -> Int? {
        isGiven(key) ? try count(key) : standard
    }

    /// Which layers see a window alone: `layer_types`, or what the family does without it.
    func slidingLayers(
        _ layers: Int, default standard: @escaping (Int) -> Bool
    ) throws(ModelFamilyError) -> (Int) -> Bool {
        let types = try texts("layer_types")
        guard !types.isEmpty else { return standard }
        guard types.count == layers else {
            throw unsupported("layer_types", "has \(types.count) entries; expected \(layers), one for each layer")
        }
        if let other = types.first(where: { $0 != "sliding_attention" && $0 != "full_attention" }) {
            throw unsupported("layer_types", "has \"\(other)\", which is not built here")
        }
        let isSliding = types.map { $0 == "sliding_attention" }
        return { isSliding[$0] }
    }
}
