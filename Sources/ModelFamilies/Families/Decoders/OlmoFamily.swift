/// OLMo: norms without weights (Groeneveld et al., arXiv 2402.00838); from the second on norms of each part's output
/// and of queries and keys (arXiv 2501.00656); in the third windows in three of four layers.
enum OlmoFamily: DecoderFamily {
    static let modelTypes = ["olmo", "olmo2", "olmo3"]

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        let type = try configuration.text("model_type", default: "")
        var defaults = DecoderDefaults()
        defaults.vocabulary = 50_304
        defaults.epsilon = (type == "olmo" ? "layer_norm_eps" : "rms_norm_eps", 1e-5)
        if type == "olmo3" { defaults.theta = 500_000 }
        var options = try DecoderOptions.usual(configuration, defaults, rotary: type != "olmo3")
        guard type != "olmo" else {
            options.layer.norm = Norm(kind: .layer, epsilon: 1e-5, hasWeight: false)
            options.finalNorm = options.layer.norm
            if configuration.has("clip_qkv") { options.layer.attention.clip = try configuration.positive("clip_qkv") }
            return options
        }
        options.layer.attentionNorm = nil
        options.layer.attentionOutputNorm = "post_attention_layernorm"
        options.layer.feedForwardNorm = nil
        options.layer.feedForwardOutputNorm = "post_feedforward_layernorm"
        options.layer.attention.queryKeyNorm = QueryKeyNorm(extent: .whole, norm: options.layer.norm)
        guard type == "olmo3" else { return options }
        let theta = try configuration.number("rope_theta", default: 500_000)
        options.rotaries = try Rotary.byLayerType(
            configuration, headWidth: options.layer.attention.width, theta: theta, local: ("rope_theta", theta))
        let window = try configuration.optionalCount("sliding_window", default: 4096)
        let isSliding = try configuration.slidingLayers(options.layers) { ($0 + 1) % 4 != 0 }
        options.vary = {
            $1.window = isSliding($0) ? window : nil
            $1.rotary = isSliding($0) ? 1 : 0
        }
        return options
    }
}
