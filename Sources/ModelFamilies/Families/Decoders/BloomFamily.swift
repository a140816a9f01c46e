/// BLOOM: a bias by distance in place of positions, and a norm of the embedding (Le Scao et al., arXiv 2211.05100).
enum BloomFamily: DecoderFamily {
    static let modelTypes = ["bloom"]
    static let inert = DecoderStack.inert.union([
        "attention_softmax_in_fp32", "bias_dropout_fusion", "masked_softmax_fusion", "offset_alibi", "pretraining_pp",
        "seq_length", "skip_bias_add", "skip_bias_add_qkv", "slow_but_exact", "n_inner", "pretraining_tp",
    ])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        let vocabulary = try configuration.count("vocab_size", default: 250_880)
        let older = try configuration.count("n_embed", default: 64)
        let width = try configuration.count("hidden_size", default: older)
        let olderHeads = try configuration.count("num_attention_heads", default: 8)
        let heads = try configuration.count("n_head", default: olderHeads)
        let olderLayers = try configuration.count("num_hidden_layers", default: 2)
        var attention = SelfAttention(
            heads: heads, width: try configuration.headWidth(width, heads: heads, key: "n_head"))
        attention.layout = .groups("self_attention.query_key_value")
        attention.names = AttentionNames("self_attention.", "q", "k", "v", "dense")
        (attention.hasBias, attention.hasOutputBias) = (true, true)
        let feedForward = FeedForward(
            form: .plain, inner: 4 * width, activation: .tanhGelu, up: "mlp.dense_h_to_4h", down: "mlp.dense_4h_to_h",
            hasBias: true)
        let norm = Norm.layer(try configuration.number("layer_norm_epsilon", default: 1e-5))
        var layer = TransformerLayer(attention: attention, feedForward: feedForward, norm: norm)
        layer.rotary = nil
        layer.carriesNormed = try configuration.flag("apply_residual_connection_post_layernorm", default: false)
        var options = DecoderOptions(
            vocabulary: vocabulary, width: width, layers: try configuration.count("n_layer", default: olderLayers),
            layer: layer, isTied: try configuration.flag("tie_word_embeddings", default: true))
        options.prefixes = ["transformer.", ""]
        (options.embeddingName, options.layersName, options.finalNormName) = ("word_embeddings", "h", "ln_f")
        options.embeddingNorm = ("word_embeddings_layernorm", norm)
        options.positions = .alibi(isFalcon: false)
        options.tokenHead = "classifier"
        return options
    }
}
