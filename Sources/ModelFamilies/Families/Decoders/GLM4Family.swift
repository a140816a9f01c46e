/// GLM-4: half of each head turned, interleaved; GLM-4-0414 has norms around each part (arXiv 2406.12793).
enum GLM4Family: DecoderFamily {
    static let modelTypes = ["glm", "glm4"]

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.inner, defaults.layers) = (151_552, 13_696, 40)
        (defaults.partial, defaults.isInterleaved, defaults.attentionBias) = (0.5, true, true)
        defaults.epsilon.value = 1.5625e-07
        var options = try DecoderOptions.usual(configuration, defaults)
        options.layer.attention.hasOutputBias = false
        options.layer.feedForward.form = .joined
        options.layer.feedForward.up = "mlp.gate_up_proj"
        if try configuration.text("model_type", default: "") == "glm4" {
            options.layer.attentionOutputNorm = "post_self_attn_layernorm"
            options.layer.feedForwardOutputNorm = "post_mlp_layernorm"
        }
        return options
    }
}
