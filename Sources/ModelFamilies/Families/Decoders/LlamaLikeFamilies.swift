/// StarCoder2: layer norms, biases everywhere, plain feed-forward parts and a window (Lozhkov et al., arXiv
/// 2402.19173).
enum Starcoder2Family: DecoderFamily {
    static let modelTypes = ["starcoder2"]
    static let inert = DecoderStack.inert.union(["mlp_type", "norm_type", "layer_norm_epsilon"])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.width, defaults.inner) = (49_152, 3072, 12_288)
        (defaults.layers, defaults.heads, defaults.isTied, defaults.readsHeadWidth) = (30, 24, true, false)
        (defaults.activation.name, defaults.epsilon) = ("gelu_pytorch_tanh", ("norm_epsilon", 1e-5))
        var options = try DecoderOptions.usual(configuration, defaults)
        let hasBias = try configuration.flag("use_bias", default: true)
        options.layer.norm = .layer(options.layer.norm.epsilon)
        options.finalNorm = options.layer.norm
        (options.layer.attention.hasBias, options.layer.attention.hasOutputBias) = (hasBias, hasBias)
        options.layer.feedForward = FeedForward(
            form: .plain, inner: options.layer.feedForward.inner, activation: options.layer.feedForward.activation,
            up: "mlp.c_fc", down: "mlp.c_proj", hasBias: hasBias)
        options.layer.window = try configuration.optionalCount("sliding_window")
        return options
    }
}

/// ERNIE 4.5: Llama with interleaved angles.
enum ErnieFamily: DecoderFamily {
    static let modelTypes = ["ernie4_5"]
    static let inert = DecoderStack.inert.union(["use_flash_attention", "compression_ratio"])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.width, defaults.inner, defaults.layers) = (103_424, 1024, 3072, 18)
        (defaults.heads, defaults.headWidth, defaults.epsilon.value) = (16, 128, 1e-5)
        (defaults.theta, defaults.isInterleaved, defaults.isTied) = (500_000, true, true)
        var options = try DecoderOptions.usual(configuration, defaults)
        let hasBias = try configuration.flag("use_bias", default: false)
        (options.layer.attention.hasBias, options.layer.attention.hasOutputBias) = (hasBias, hasBias)
        options.layer.feedForward.hasBias = hasBias
        options.padding = try configuration.padding("pad_token_id", default: 0, rows: options.vocabulary)
        return options
    }
}

/// Seed-OSS: Llama with biases of queries, keys and values.
enum SeedFamily: DecoderFamily {
    static let modelTypes = ["seed_oss"]

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.inner, defaults.layers, defaults.heads) = (155_136, 27_648, 64, 80)
        (defaults.headWidth, defaults.attentionBias) = (128, true)
        try configuration.demand("pretraining_tp", oneOf: [.integer(1)])
        var options = try DecoderOptions.usual(configuration, defaults)
        options.layer.attention.hasOutputBias = try configuration.flag("attention_out_bias", default: false)
        return options
    }
}

/// EXAONE 4: norms of each part's output and of queries and keys; where it has windows, only layers with one turn
/// queries and keys (arXiv 2507.11407).
enum ExaoneFamily: DecoderFamily {
    static let modelTypes = ["exaone4"]
    static let inert = DecoderStack.inert.union(["sliding_window_pattern"])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.inner, defaults.epsilon.value) = (102_400, 16_384, 1e-5)
        var options = try DecoderOptions.usual(configuration, defaults)
        (options.layer.attentionNorm, options.layer.feedForwardNorm) = (nil, nil)
        options.layer.attentionOutputNorm = "post_attention_layernorm"
        options.layer.feedForwardOutputNorm = "post_feedforward_layernorm"
        options.layer.attention.queryKeyNorm = QueryKeyNorm(norm: options.layer.norm)
        let window = try configuration.optionalCount("sliding_window", default: 4096)
        let isSliding = try configuration.slidingLayers(options.layers) { window != nil && ($0 + 1) % 4 != 0 }
        options.vary = {
            $1.window = isSliding($0) ? window : nil
            $1.rotary = window == nil || isSliding($0) ? 0 : nil
        }
        return options
    }
}

/// Apertus: norms of queries and keys, and an activation with trained numbers (arXiv 2509.14233).
enum ApertusFamily: DecoderFamily {
    static let modelTypes = ["apertus"]
    /// What the activation is given and never trained.
    static let spare = DecoderStack.spare + ["mlp.act_fn.beta", "mlp.act_fn.eps"]

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.inner, defaults.theta) = (131_072, 14_336, 12_000_000)
        (defaults.activation.name, defaults.epsilon.value) = ("xielu", 1e-5)
        try configuration.demand("qk_norm", oneOf: [.bool(true)])
        var options = try DecoderOptions.usual(configuration, defaults)
        options.layer.attention.queryKeyNorm = QueryKeyNorm(norm: options.layer.norm)
        (options.layer.attentionNorm, options.layer.feedForwardNorm) = ("attention_layernorm", "feedforward_layernorm")
        options.layer.feedForward.form = .plain
        options.layer.feedForward.hasBias = false
        return options
    }
}

/// Nemotron: layer norms whose weights lie minus 1, half of each head turned, squared ReLU (Parmar et al., arXiv
/// 2402.16819).
enum NemotronFamily: DecoderFamily {
    static let modelTypes = ["nemotron"]

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.width, defaults.inner, defaults.heads) = (256_000, 6144, 24_576, 48)
        (defaults.activation.name, defaults.epsilon, defaults.partial) = ("relu2", ("norm_eps", 1e-5), 0.5)
        defaults.partial = try configuration.number("rope_percent", default: 0.5)
        var options = try DecoderOptions.usual(configuration, defaults)
        options.layer.norm = Norm(kind: .layer, epsilon: options.layer.norm.epsilon, hasBias: true, addsOne: true)
        options.finalNorm = options.layer.norm
        options.layer.feedForward.form = .plain
        return options
    }
}

/// HunYuan's dense models: norms of queries and keys after they are turned.
enum HunYuanFamily: DecoderFamily {
    static let modelTypes = ["hunyuan_v1_dense"]
    static let inert = DecoderStack.inert.union([
        "attention_head_dim", "cla_share_factor", "class_num", "dense_list", "eod_token_id", "im_end_id",
        "im_newline_id",
        "im_start_id", "image_token_id", "mask_init_id", "norm_type", "num_media_embeds", "org_vocab_size", "pad_id",
        "pool_type", "position_embedding_xdrope", "text_end_id", "text_start_id", "pretraining_tp",
        "use_rotary_pos_emb",
        "use_qk_norm", "rope_scaling_type", "enable_lm_head_fp32",
    ])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.epsilon.value) = (290_943, 1e-5)
        var options = try DecoderOptions.usual(configuration, defaults)
        options.padding = try configuration.padding("pad_token_id", default: 0, rows: options.vocabulary)
        options.layer.feedForward.hasBias = false
        options.layer.attention.queryKeyNorm = QueryKeyNorm(
            norm: options.layer.norm, query: "self_attn.query_layernorm", key: "self_attn.key_layernorm",
            isAfterRotation: true)
        return options
    }
}

/// BitNet with its weights as numbers: norms before each output layer, squared ReLU (Ma et al., arXiv 2504.12285).
enum BitNetFamily: DecoderFamily {
    static let modelTypes = ["bitnet"]

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.width, defaults.inner, defaults.layers) = (128_256, 2560, 6912, 30)
        (defaults.heads, defaults.activation.name, defaults.epsilon.value) = (20, "relu2", 1e-5)
        defaults.theta = 500_000
        var options = try DecoderOptions.usual(configuration, defaults)
        options.layer.attention.innerNorm = ("self_attn.attn_sub_norm", options.layer.norm)
        options.layer.feedForward.hasBias = false
        options.layer.feedForward.innerNorm = ("mlp.ffn_sub_norm", options.layer.norm)
        return options
    }
}
