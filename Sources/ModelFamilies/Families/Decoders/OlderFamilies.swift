/// GPT-Neo: GPT-2 with scores that are not scaled and a window in every other layer (Black et al., 2021).
enum GPTNeoFamily: DecoderFamily {
    static let modelTypes = ["gpt_neo"]
    static let inert = GPT2Family.inert.union(["attention_layers"])
    static let spare = [".attn.attention.bias", ".attn.attention.masked_bias", "lm_head.weight"]

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        let width = try configuration.count("hidden_size", default: 2048)
        let heads = try configuration.count("num_heads", default: 16)
        var attention = SelfAttention(
            heads: heads, width: try configuration.headWidth(width, heads: heads, key: "num_heads"))
        attention.names = AttentionNames("attn.attention.", "q_proj", "k_proj", "v_proj", "out_proj")
        (attention.hasOutputBias, attention.scale) = (true, 1)
        let feedForward = FeedForward(
            form: .plain, inner: try configuration.count("intermediate_size", default: 4 * width),
            activation: try configuration.activation("activation_function", default: "gelu_new"), up: "mlp.c_fc",
            down: "mlp.c_proj", hasBias: true)
        let norm = Norm.layer(try configuration.number("layer_norm_epsilon", default: 1e-5))
        var layer = TransformerLayer(attention: attention, feedForward: feedForward, norm: norm)
        (layer.attentionNorm, layer.feedForwardNorm, layer.rotary) = ("ln_1", "ln_2", nil)
        var options = try DecoderOptions.transformer(
            configuration, width: width, layers: configuration.count("num_layers", default: 24), layer: layer,
            vocabulary: 50_257)
        (options.layersName, options.finalNormName) = ("h", "ln_f")
        let rows = try configuration.count("max_position_embeddings", default: 2048)
        options.positions = .learned(name: "wpe", rows: rows, offset: 0, countsText: false)
        let kinds = try attentionKinds(configuration, layers: options.layers)
        let window = try configuration.count("window_size", default: 256)
        options.vary = { $1.window = kinds[$0] == "local" ? window : nil }
        return options
    }

    /// `attention_types`: a list of kinds that follow each other, and how often they do.
    private static func attentionKinds(
        _ configuration: ModelConfiguration, layers: Int
    ) throws(ModelFamilyError) -> [String] {
        let key = "attention_types"
        let kinds = configuration.repeatedTexts(key) ?? Array(repeating: ["global", "local"], count: 12).flatMap { $0 }
        guard kinds.count == layers, kinds.allSatisfy({ $0 == "global" || $0 == "local" }) else {
            throw configuration.unsupported(
                key, "names \(kinds.count) layers; expected \(layers), each global or local")
        }
        return kinds
    }
}

/// MPT: scores that fall with the distance, and no biases (MosaicML, 2023).
enum MPTFamily: DecoderFamily {
    static let modelTypes = ["mpt"]
    static let inert = DecoderStack.inert.union([
        "embedding_fraction", "init_config", "init_device", "learned_pos_emb", "max_seq_len", "norm_type", "verbose",
    ])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        let width = try configuration.count("d_model", default: 2048)
        let heads = try configuration.count("n_heads", default: 16)
        var attention = SelfAttention(
            heads: heads, width: try configuration.headWidth(width, heads: heads, key: "n_heads"))
        attention.layout = .sections("attn.Wqkv")
        attention.names = AttentionNames("attn.", "q", "k", "v", "out_proj")
        var growth = 8.0
        if let own = try configuration.nested("attn_config") {
            try own.demand("attn_type", oneOf: [.string("multihead_attention")])
            try own.demand("prefix_lm", oneOf: [.bool(false)])
            try own.demand("qk_ln", oneOf: [.bool(false)])
            try own.demand("alibi", oneOf: [.bool(true)])
            growth = try own.number("alibi_bias_max", default: 8)
            if own.has("softmax_scale") { attention.scale = try own.positive("softmax_scale") }
            let clip = try own.number("clip_qkv", default: 0)
            attention.clip = clip == 0 ? nil : clip
            try own.checkRest(
                inert: ModelConfiguration.inert.union(["attn_impl", "attn_pdrop", "attn_uses_sequence_id"]))
        }
        try configuration.demand("no_bias", oneOf: [.bool(true)])
        let feedForward = FeedForward(
            form: .plain, inner: width * (try configuration.count("expansion_ratio", default: 4)), activation: .gelu,
            up: "ffn.up_proj", down: "ffn.down_proj", hasBias: false)
        let norm = Norm.layer(try configuration.number("layer_norm_epsilon", default: 1e-5), hasBias: false)
        var layer = TransformerLayer(attention: attention, feedForward: feedForward, norm: norm)
        (layer.attentionNorm, layer.feedForwardNorm, layer.rotary) = ("norm_1", "norm_2", nil)
        var options = try DecoderOptions.transformer(
            configuration, width: width, layers: configuration.count("n_layers", default: 24), layer: layer,
            vocabulary: 50_368)
        (options.layersName, options.finalNormName) = ("blocks", "norm_f")
        options.positions = .alibi(isFalcon: false, maximum: growth)
        return options
    }
}

extension DecoderOptions {
    /// A decoder below `transformer.`, whose embedding `wte` is its output layer.
    fileprivate static func transformer(
        _ configuration: ModelConfiguration, width: Int, layers: Int, layer: TransformerLayer, vocabulary: Int
    ) throws(ModelFamilyError) -> DecoderOptions {
        let rows = try configuration.count("vocab_size", default: vocabulary)
        var options = DecoderOptions(
            vocabulary: rows, width: width, layers: layers, layer: layer,
            isTied: try configuration.flag("tie_word_embeddings", default: true))
        options.prefixes = ["transformer.", ""]
        (options.embeddingName, options.tokenHead) = ("wte", "classifier")
        return options
    }
}
