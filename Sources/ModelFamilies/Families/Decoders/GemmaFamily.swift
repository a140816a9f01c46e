internal import Foundation

/// Gemma 1 to 3 for texts (arXiv 2403.08295, 2408.00118, 2503.19786): norms whose weights lie minus 1 and a scaled
/// embedding; from the second on norms around each part, windows in some layers and caps; in the third norms of queries
/// and keys.
enum GemmaFamily: DecoderFamily {
    static let modelTypes = ["gemma", "gemma2", "gemma3_text"]
    static let inert = DecoderStack.inert.union([
        "cache_implementation", "sliding_window_size", "_sliding_window_pattern",
    ])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        let type = try configuration.text("model_type", default: "")
        var defaults = DecoderDefaults()
        defaults.vocabulary = type == "gemma3_text" ? 262_208 : 256_000
        (defaults.headWidth, defaults.isTied) = (256, true)
        if type == "gemma" {
            (defaults.width, defaults.inner, defaults.layers, defaults.heads) = (3072, 24_576, 28, 16)
            defaults.activation = ("hidden_act", "gelu_pytorch_tanh")
            _ = try configuration.text("hidden_activation", default: "")
        } else {
            (defaults.width, defaults.inner, defaults.layers, defaults.heads) = (2304, 9216, 26, 8)
            defaults.activation = ("hidden_activation", "gelu_pytorch_tanh")
            _ = try configuration.text("hidden_act", default: "")
        }
        if type != "gemma" { defaults.sharedHeads = 4 }
        var options = try DecoderOptions.usual(configuration, defaults, rotary: type != "gemma3_text")
        // The first configurations say "gelu" and mean its approximation.
        if type == "gemma", case .gelu = options.layer.feedForward.activation {
            options.layer.feedForward.activation = .tanhGelu
        }
        options.padding = try configuration.padding("pad_token_id", default: 0, rows: options.vocabulary)
        options.layer.norm.addsOne = true
        options.finalNorm = options.layer.norm
        options.embeddingScale = Double(Float(Double(options.width).squareRoot()))
        guard type != "gemma" else { return options }
        options.layer.attentionOutputNorm = "post_attention_layernorm"
        options.layer.feedForwardNorm = "pre_feedforward_layernorm"
        options.layer.feedForwardOutputNorm = "post_feedforward_layernorm"
        let key = "query_pre_attn_scalar"
        let scalar = configuration.has(key) ? try configuration.positive(key) : 256
        options.layer.attention.scale = 1 / scalar.squareRoot()
        let isSecond = type == "gemma2"
        options.layer.attention.softCap = try cap(configuration, "attn_logit_softcapping", isSecond ? 50 : nil)
        options.logitCap = try cap(configuration, "final_logit_softcapping", isSecond ? 30 : nil)
        let window = try configuration.optionalCount("sliding_window", default: 4096)
        let period = isSecond ? 2 : try configuration.count("sliding_window_pattern", default: 6)
        let isSliding = try configuration.slidingLayers(options.layers) { ($0 + 1) % period != 0 }
        if !isSecond {
            options.layer.attention.queryKeyNorm = QueryKeyNorm(norm: options.layer.norm)
            options.rotaries = try Rotary.byLayerType(
                configuration, headWidth: options.layer.attention.width, theta: 1_000_000,
                local: ("rope_local_base_freq", 10_000))
        }
        options.vary = {
            $1.window = isSliding($0) ? window : nil
            $1.rotary = !isSecond && isSliding($0) ? 1 : 0
        }
        return options
    }

    private static func cap(
        _ configuration: ModelConfiguration, _ key: String, _ standard: Double?
    ) throws(ModelFamilyError) -> Double? {
        guard configuration.isGiven(key) else { return standard }
        return configuration.has(key) ? try configuration.positive(key) : nil
    }
}

extension Rotary {
    /// The angles of layers that see all, then of those that see a window: of one object each under `rope_parameters`,
    /// or as older configurations have it, with scaling for the first alone. `local`: the older key of the second's θ.
    static func byLayerType(
        _ configuration: ModelConfiguration, headWidth: Int, theta: Double, local: (key: String, theta: Double)
    ) throws(ModelFamilyError) -> [Rotary] {
        let base = try configuration.number("rope_theta", default: theta)
        let localBase = try configuration.number(local.key, default: local.theta)
        let parameters = try configuration.nested("rope_parameters")
        let older = try configuration.nested("rope_scaling")
        let isNested = parameters?.has("full_attention") == true || parameters?.has("sliding_attention") == true
        let full = isNested ? try parameters?.nested("full_attention") : older ?? parameters
        let sliding = isNested ? try parameters?.nested("sliding_attention") : nil
        if isNested { try parameters?.checkRest(inert: []) }
        return [
            try Rotary(full ?? older, in: configuration, headWidth: headWidth, theta: base),
            try Rotary(sliding, in: configuration, headWidth: headWidth, theta: localBase),
        ]
    }
}
