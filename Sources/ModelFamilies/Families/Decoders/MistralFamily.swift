/// Mistral and Ministral: Llama with a window in every layer, or in those that `layer_types` names (Jiang et al., arXiv
/// 2310.06825).
enum MistralFamily: DecoderFamily {
    static let modelTypes = ["mistral", "ministral", "ministral3"]

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        let type = try configuration.text("model_type", default: "mistral")
        var defaults = DecoderDefaults()
        defaults.inner = 14_336
        if type == "ministral3" { defaults.epsilon.value = 1e-5 }
        var options = try DecoderOptions.usual(configuration, defaults)
        let standard = type == "ministral3" ? nil : 4096
        let window = try configuration.optionalCount("sliding_window", default: standard)
        let isSliding = try configuration.slidingLayers(options.layers) { _ in true }
        options.vary = { $1.window = isSliding($0) ? window : nil }
        return options
    }
}
