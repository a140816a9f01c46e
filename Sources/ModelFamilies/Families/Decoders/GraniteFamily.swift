/// Granite 3: Llama with fixed factors of the embedding, the scores, each part's output and the logits.
enum GraniteFamily: DecoderFamily {
    static let modelTypes = ["granite"]

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var options = try DecoderOptions.usual(configuration)
        options.embeddingScale = try configuration.number("embedding_multiplier", default: 1)
        options.layer.attention.scale = try configuration.number("attention_multiplier", default: 1)
        options.layer.residualScale = try configuration.number("residual_multiplier", default: 1)
        let divisor = configuration.has("logits_scaling") ? try configuration.positive("logits_scaling") : 1
        options.logitScale = 1 / divisor
        return options
    }
}
