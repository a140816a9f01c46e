/// Phi-3 and Phi-4: Llama with joined matrices, and angles that grow slower in long texts (Abdin et al., arXiv
/// 2404.14219).
enum Phi3Family: DecoderFamily {
    static let modelTypes = ["phi3"]
    static let inert = DecoderStack.inert.union(["mm_tokens", "full_attn_mod", "interpolate_factor", "lm_head_bias"])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.width, defaults.inner) = (32_064, 3072, 8192)
        (defaults.epsilon.value, defaults.partial) = (1e-5, 1)
        var options = try DecoderOptions.usual(configuration, defaults)
        options.padding = try configuration.padding("pad_token_id", default: nil, rows: options.vocabulary)
        options.layer.attention.hasBias = false
        options.layer.attention.hasOutputBias = false
        options.layer.attention.layout = .sections("self_attn.qkv_proj")
        options.layer.feedForward.form = .joined
        options.layer.feedForward.up = "mlp.gate_up_proj"
        options.layer.window = try configuration.optionalCount("sliding_window")
        return options
    }
}

/// Phi-1 to Phi-2: attention and feed-forward part side by side (Li et al., arXiv 2309.05463).
enum PhiFamily: DecoderFamily {
    static let modelTypes = ["phi"]
    static let spare = DecoderStack.spare + ["lm_head.bias"]

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.width, defaults.inner, defaults.layers) = (51_200, 2048, 8192, 24)
        (defaults.activation.name, defaults.partial) = ("gelu_new", 0.5)
        defaults.epsilon = ("layer_norm_eps", 1e-5)
        var options = try DecoderOptions.usual(configuration, defaults)
        options.layer.norm = .layer(options.layer.norm.epsilon)
        options.finalNorm = options.layer.norm
        options.finalNormName = "final_layernorm"
        options.layer.isParallel = true
        options.layer.feedForwardNorm = nil
        options.layer.attention.hasBias = true
        options.layer.attention.hasOutputBias = true
        options.layer.attention.names = AttentionNames("self_attn.", "q_proj", "k_proj", "v_proj", "dense")
        if try configuration.flag("qk_layernorm", default: false) {
            options.layer.attention.queryKeyNorm = QueryKeyNorm(
                norm: options.layer.norm, query: "self_attn.q_layernorm", key: "self_attn.k_layernorm")
        }
        options.layer.feedForward = FeedForward(
            form: .plain, inner: options.layer.feedForward.inner, activation: options.layer.feedForward.activation,
            up: "mlp.fc1", down: "mlp.fc2", hasBias: true)
        options.hasOutputBias = true
        return options
    }
}
