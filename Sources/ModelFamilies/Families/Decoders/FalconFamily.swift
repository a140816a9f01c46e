/// Falcon: both parts side by side, one head of keys for all or for each group of queries, in some sizes a bias by
/// distance (Almazrouei et al., arXiv 2311.16867).
enum FalconFamily: DecoderFamily {
    static let modelTypes = ["falcon", "RefinedWeb", "RefinedWebModel"]
    static let inert = DecoderStack.inert.union(["apply_residual_connection_post_layernorm"])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        let vocabulary = try configuration.count("vocab_size", default: 65_024)
        let older = try configuration.count("n_embed", default: 4544)
        let width = try configuration.count("hidden_size", default: older)
        let olderHeads = try configuration.count("n_head", default: 71)
        let heads = try configuration.count("num_attention_heads", default: olderHeads)
        let olderLayers = try configuration.count("n_layer", default: 32)
        let layers = try configuration.count("num_hidden_layers", default: olderLayers)
        let isNew = try configuration.flag("new_decoder_architecture", default: false)
        let isMultiQuery = try configuration.flag("multi_query", default: true)
        let isParallel = try configuration.flag("parallel_attn", default: true)
        let hasBias = try configuration.flag("bias", default: false)
        let groups = try configuration.count("num_kv_heads", default: heads)
        let norms = try configuration.count("num_ln_in_parallel_attn", default: isNew ? 2 : 1)
        var attention = SelfAttention(
            heads: heads, sharedHeads: isNew ? groups : isMultiQuery ? 1 : heads,
            width: try configuration.headWidth(width, heads: heads, key: "num_attention_heads"))
        guard heads.isMultiple(of: attention.sharedHeads) else {
            throw configuration.unsupported("num_kv_heads", "is \(groups), which does not divide \(heads)")
        }
        let name = "self_attention.query_key_value"
        attention.layout = !isNew && isMultiQuery ? .sections(name) : .groups(name)
        attention.names = AttentionNames("self_attention.", "q", "k", "v", "dense")
        (attention.hasBias, attention.hasOutputBias) = (hasBias, hasBias)
        let feedForward = FeedForward(
            form: .plain, inner: try configuration.count("ffn_hidden_size", default: 4 * width),
            activation: try configuration.activation("activation", default: "gelu"), up: "mlp.dense_h_to_4h",
            down: "mlp.dense_4h_to_h", hasBias: hasBias)
        let norm = Norm.layer(try configuration.number("layer_norm_epsilon", default: 1e-5))
        var layer = TransformerLayer(attention: attention, feedForward: feedForward, norm: norm)
        layer.isParallel = isNew || isParallel
        if isNew, norms == 2 {
            (layer.attentionNorm, layer.feedForwardNorm) = ("ln_attn", "ln_mlp")
        } else if layer.isParallel {
            layer.feedForwardNorm = nil
        }
        var options = DecoderOptions(
            vocabulary: vocabulary, width: width, layers: layers, layer: layer,
            isTied: try configuration.flag("tie_word_embeddings", default: true))
        options.prefixes = ["transformer.", ""]
        (options.embeddingName, options.layersName, options.finalNormName) = ("word_embeddings", "h", "ln_f")
        options.tokenHead = "classifier"
        if try configuration.flag("alibi", default: false) {
            options.positions = .alibi(isFalcon: true)
            options.layer.rotary = nil
            _ = try configuration.nested("rope_parameters")
        } else {
            options.rotaries = [try Rotary(configuration, headWidth: attention.width)]
        }
        return options
    }
}
