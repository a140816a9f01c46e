/// StableLM: layer norms, a part of each head turned, and in some sizes both parts side by side (Bellagente et al.,
/// arXiv 2402.17834).
enum StableLMFamily: DecoderFamily {
    static let modelTypes = ["stablelm"]
    static let inert = DecoderStack.inert.union(["norm_eps", "rotary_scaling_factor"])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.width, defaults.inner) = (50_304, 2560, 6912)
        (defaults.partial, defaults.readsHeadWidth) = (0.25, false)
        defaults.epsilon = ("layer_norm_eps", 1e-5)
        var options = try DecoderOptions.usual(configuration, defaults)
        let epsilon = options.layer.norm.epsilon
        options.layer.norm = .layer(epsilon)
        options.finalNorm = options.layer.norm
        options.layer.attention.hasBias = try configuration.flag("use_qkv_bias", default: false)
        if try configuration.flag("qk_layernorm", default: false) {
            options.layer.attention.queryKeyNorm = QueryKeyNorm(
                extent: .modules, norm: .layer(epsilon, hasBias: false), query: "self_attn.q_layernorm",
                key: "self_attn.k_layernorm")
        }
        if try configuration.flag("use_parallel_residual", default: false) {
            options.layer.isParallel = true
            options.layer.feedForwardNorm = nil
        }
        return options
    }
}
