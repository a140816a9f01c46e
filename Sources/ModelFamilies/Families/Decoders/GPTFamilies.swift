/// GPT-2 (Radford et al., 2019). Its matrices lie transposed, [in, out].
enum GPT2Family: DecoderFamily {
    static let modelTypes = ["gpt2"]
    static let inert = DecoderStack.inert.union([
        "n_ctx", "n_special", "predict_special_tokens", "summary_activation", "summary_first_dropout",
        "summary_proj_to_labels", "summary_type", "summary_use_proj",
    ])
    /// Masks that older versions saved, and the output layer where the head is another.
    static let spare = [".attn.bias", ".attn.masked_bias", "lm_head.weight"]

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        let isScaled = try configuration.flag("scale_attn_weights", default: true)
        let isScaledByLayer = try configuration.flag("scale_attn_by_inverse_layer_idx", default: false)
        var options = try DecoderOptions.gpt(configuration, activation: "gelu_new")
        let scale = isScaled ? options.layer.attention.scale : 1
        options.layer.attention.scale = scale
        options.layer.attention.isTransposed = true
        options.layer.feedForward.isTransposed = true
        if isScaledByLayer { options.vary = { $1.attention.scale = scale / Double($0 + 1) } }
        return options
    }
}

/// StarCoder 1 and SantaCoder: GPT-2 with one head of keys for all queries (Li et al., arXiv 2305.06161).
enum BigCodeFamily: DecoderFamily {
    static let modelTypes = ["gpt_bigcode"]
    static let inert = GPT2Family.inert.union([
        "attention_softmax_in_fp32", "scale_attention_softmax_in_fp32", "inference_runner", "max_batch_size",
        "max_sequence_length", "pad_key_length", "pre_allocate_kv_cache", "validate_runner_input",
        "num_key_value_heads",
    ])
    static let spare = GPT2Family.spare

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var options = try DecoderOptions.gpt(configuration, activation: "gelu_pytorch_tanh")
        if try configuration.flag("multi_query", default: true) {
            options.layer.attention.sharedHeads = 1
        } else {
            options.layer.attention.layout = .groups("attn.c_attn")
        }
        if try !configuration.flag("scale_attn_weights", default: true) { options.layer.attention.scale = 1 }
        return options
    }
}

/// GPT-J: both parts side by side behind one norm, a part of each head turned, interleaved (Wang and Komatsuzaki,
/// 2021).
enum GPTJFamily: DecoderFamily {
    static let modelTypes = ["gptj"]
    static let inert = GPT2Family.inert.union(["n_positions", "rotary", "scale_attn_weights"])
    static let spare = GPT2Family.spare + ["lm_head.bias"]

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var options = try DecoderOptions.gpt(configuration, activation: "gelu_new", isTied: false)
        let width = options.layer.attention.width
        let turned = try configuration.count("rotary_dim", default: 64)
        guard turned <= width, turned.isMultiple(of: 2) else {
            throw configuration.unsupported("rotary_dim", "is \(turned); expected an even number up to \(width)")
        }
        options.rotaries = [Rotary(width: turned, theta: 10_000, scaling: .none, isInterleaved: true)]
        options.positions = .none
        options.layer.rotary = 0
        options.layer.isParallel = true
        options.layer.feedForwardNorm = nil
        options.layer.attention.layout = .separate
        options.layer.attention.names = AttentionNames("attn.", "q_proj", "k_proj", "v_proj", "out_proj")
        options.layer.attention.hasBias = false
        options.layer.attention.hasOutputBias = false
        options.layer.feedForward.up = "mlp.fc_in"
        options.layer.feedForward.down = "mlp.fc_out"
        options.hasOutputBias = true
        return options
    }
}

extension DecoderOptions {
    /// What the keys of GPT-2 say: layer norms before each part, trained positions, joined queries, keys and values.
    static func gpt(
        _ configuration: ModelConfiguration, activation: String, isTied: Bool = true
    ) throws(ModelFamilyError) -> DecoderOptions {
        let width = try configuration.count("n_embd", default: 768)
        let heads = try configuration.count("n_head", default: 12)
        var attention = SelfAttention(
            heads: heads, width: try configuration.headWidth(width, heads: heads, key: "n_head"))
        attention.layout = .sections("attn.c_attn")
        attention.names = AttentionNames("attn.", "q", "k", "v", "c_proj")
        (attention.hasBias, attention.hasOutputBias) = (true, true)
        let feedForward = FeedForward(
            form: .plain, inner: try configuration.count("n_inner", default: 4 * width),
            activation: try configuration.activation("activation_function", default: activation), up: "mlp.c_fc",
            down: "mlp.c_proj", hasBias: true)
        let norm = Norm.layer(try configuration.number("layer_norm_epsilon", default: 1e-5))
        var layer = TransformerLayer(attention: attention, feedForward: feedForward, norm: norm)
        (layer.attentionNorm, layer.feedForwardNorm, layer.rotary) = ("ln_1", "ln_2", nil)
        var options = DecoderOptions(
            vocabulary: try configuration.count("vocab_size", default: 50_257), width: width,
            layers: try configuration.count("n_layer", default: 12), layer: layer,
            isTied: try configuration.flag("tie_word_embeddings", default: isTied))
        options.prefixes = ["transformer.", ""]
        (options.embeddingName, options.layersName, options.finalNormName) = ("wte", "h", "ln_f")
        options.positions = .learned(
            name: "wpe", rows: try configuration.count("n_positions", default: 1024), offset: 0, countsText: false)
        options.tokenHead = "classifier"
        return options
    }
}
