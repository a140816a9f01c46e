/// Qwen2 and Qwen2.5, Llama with biases of queries, keys and values (Yang et al., arXiv 2407.10671); Qwen3, with norms
/// of queries and keys (arXiv 2505.09388).
enum QwenFamily: DecoderFamily {
    static let modelTypes = ["qwen2", "qwen3"]
    static let inert = DecoderStack.inert.union(["max_window_layers", "use_mrope"])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        let isThird = try configuration.text("model_type", default: "").hasPrefix("qwen3")
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.inner) = (151_936, 22_016)
        defaults.headWidth = isThird ? 128 : nil
        var options = try DecoderOptions.usual(configuration, defaults)
        if isThird {
            options.layer.attention.queryKeyNorm = QueryKeyNorm(norm: options.layer.norm)
        } else {
            options.layer.attention.hasBias = true
        }
        try windows(configuration, &options)
        return options
    }

    /// A window from some layer on, where it is switched on.
    static func windows(
        _ configuration: ModelConfiguration, _ options: inout DecoderOptions
    ) throws(ModelFamilyError) {
        let isUsed = try configuration.flag("use_sliding_window", default: false)
        let given = try configuration.optionalCount("sliding_window", default: 4096)
        let first = try configuration.number("max_window_layers", default: 28)
        let window = isUsed ? given : nil
        let isSliding = try configuration.slidingLayers(options.layers) { Double($0) >= first }
        options.vary = { $1.window = isSliding($0) ? window : nil }
    }
}
