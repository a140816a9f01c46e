/// SmolLM3: Llama, with layers in between that have no positions (Yang et al., arXiv 2501.18795).
enum SmolLM3Family: DecoderFamily {
    static let modelTypes = ["smollm3"]
    static let inert = DecoderStack.inert.union(["max_window_layers"])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.width, defaults.layers, defaults.heads) = (128_256, 2048, 36, 16)
        (defaults.theta, defaults.isTied) = (2_000_000, true)
        var options = try DecoderOptions.usual(configuration, defaults)
        try configuration.demand("pretraining_tp", oneOf: [.integer(1), .integer(2)])
        let interval = try configuration.count("no_rope_layer_interval", default: 4)
        let given = try configuration.integers("no_rope_layers")
        if let given, given.count != options.layers {
            throw configuration.unsupported(
                "no_rope_layers", "has \(given.count) entries; expected \(options.layers), one for each layer")
        }
        let turns: (Int) -> Bool = { index in given.map { $0[index] != 0 } ?? ((index + 1) % interval != 0) }
        let given2 = try configuration.optionalCount("sliding_window")
        let window = try configuration.flag("use_sliding_window", default: false) ? given2 : nil
        let isSliding = try configuration.slidingLayers(options.layers) { !turns($0) }
        options.vary = {
            $1.rotary = turns($0) ? 0 : nil
            $1.window = isSliding($0) ? window : nil
        }
        return options
    }
}
