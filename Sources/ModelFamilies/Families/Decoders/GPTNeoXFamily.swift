/// GPT-NeoX and Pythia: both parts side by side, each behind a norm of its own (Black et al., arXiv 2204.06745). Files
/// call the output layer `embed_out`, transformers 5's module `lm_head`.
enum GPTNeoXFamily: DecoderFamily {
    static let modelTypes = ["gpt_neox"]
    static let spare = [
        "attention.bias", "attention.masked_bias", "rotary_emb.inv_freq", "embed_out.weight", "lm_head.weight",
    ]

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.width, defaults.inner, defaults.layers) = (50_432, 6144, 24_576, 44)
        (defaults.heads, defaults.activation.name, defaults.readsHeadWidth) = (64, "gelu", false)
        defaults.theta = try configuration.number("rotary_emb_base", default: 10_000)
        defaults.partial = try configuration.number("rotary_pct", default: 0.25)
        (defaults.epsilon, defaults.attentionBias) = (("layer_norm_eps", 1e-5), true)
        var options = try DecoderOptions.usual(configuration, defaults)
        options.prefixes = ["gpt_neox.", ""]
        options.embeddingName = "embed_in"
        options.padding = nil
        options.layer.norm = .layer(options.layer.norm.epsilon)
        options.finalNorm = options.layer.norm
        options.finalNormName = "final_layer_norm"
        options.outputNames = ["embed_out", "lm_head"]
        options.tokenHead = "classifier"
        options.layer.isParallel = try configuration.flag("use_parallel_residual", default: true)
        options.layer.attention.layout = .groups("attention.query_key_value")
        options.layer.attention.names = AttentionNames("attention.", "q", "k", "v", "dense")
        options.layer.feedForward = FeedForward(
            form: .plain, inner: options.layer.feedForward.inner, activation: options.layer.feedForward.activation,
            up: "mlp.dense_h_to_4h", down: "mlp.dense_4h_to_h", hasBias: true)
        return options
    }
}
