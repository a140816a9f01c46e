/// Command R and R7B: both parts side by side behind one norm, interleaved angles, scaled logits; the second generation
/// has windows, and no positions in the layers between.
enum CohereFamily: DecoderFamily {
    static let modelTypes = ["cohere", "cohere2"]
    static let inert = DecoderStack.inert.union([
        "cache_implementation", "model_max_length", "order_of_interleaved_layers", "layer_switch", "rotary_pct",
    ])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        let isSecond = try configuration.text("model_type", default: "") == "cohere2"
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.width, defaults.inner) = (256_000, 8192, 22_528)
        (defaults.layers, defaults.heads, defaults.theta) = (40, 64, isSecond ? 10_000 : 500_000)
        (defaults.isInterleaved, defaults.isTied, defaults.readsHeadWidth) = (true, true, !isSecond)
        defaults.epsilon = ("layer_norm_eps", 1e-5)
        var options = try DecoderOptions.usual(configuration, defaults)
        if isSecond { _ = try configuration.count("head_dim") }
        let norm = Norm.layer(options.layer.norm.epsilon, hasBias: false)
        (options.layer.norm, options.finalNorm) = (norm, norm)
        options.padding = try configuration.padding("pad_token_id", default: 0, rows: options.vocabulary)
        options.layer.isParallel = true
        options.layer.feedForwardNorm = nil
        options.logitScale = try configuration.number("logit_scale", default: 0.0625)
        if try configuration.flag("use_qk_norm", default: false) {
            options.layer.attention.queryKeyNorm = QueryKeyNorm(extent: .table, norm: norm)
        }
        for key in ["use_embedding_sharing", "use_gated_activation", "use_parallel_block", "use_parallel_embedding"] {
            try configuration.demand(key, oneOf: [.bool(true), .bool(false)])
        }
        try configuration.demand("position_embedding_type", oneOf: [.string("rope_gptj")])
        guard isSecond else { return options }
        let window = try configuration.optionalCount("sliding_window", default: 4096)
        let period = try configuration.count("sliding_window_pattern", default: 4)
        let isSliding = try configuration.slidingLayers(options.layers) { ($0 + 1) % period != 0 }
        options.vary = {
            $1.window = isSliding($0) ? window : nil
            $1.rotary = isSliding($0) && window != nil ? 0 : nil
        }
        return options
    }
}
