/// OPT: trained positions that count the text alone (Zhang et al., arXiv 2205.01068); one size has norms behind the
/// sums and a narrower embedding.
enum OPTFamily: DecoderFamily {
    static let modelTypes = ["opt"]
    static let inert = DecoderStack.inert.union(["init_std", "dropout"])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        let vocabulary = try configuration.count("vocab_size", default: 50_272)
        let width = try configuration.count("hidden_size", default: 768)
        let heads = try configuration.count("num_attention_heads", default: 12)
        let hasBias = try configuration.flag("enable_bias", default: true)
        let hasWeights = try configuration.flag("layer_norm_elementwise_affine", default: true)
        let normsBefore = try configuration.flag("do_layer_norm_before", default: true)
        let removesNorm = try configuration.flag("_remove_final_layer_norm", default: false)
        var attention = SelfAttention(
            heads: heads, width: try configuration.headWidth(width, heads: heads, key: "num_attention_heads"))
        attention.names = AttentionNames("self_attn.", "q_proj", "k_proj", "v_proj", "out_proj")
        (attention.hasBias, attention.hasOutputBias) = (hasBias, hasBias)
        let feedForward = FeedForward(
            form: .plain, inner: try configuration.count("ffn_dim", default: 3072),
            activation: try configuration.activation("activation_function", default: "relu"), up: "fc1", down: "fc2",
            hasBias: hasBias)
        let norm = Norm(kind: .layer, epsilon: 1e-5, hasWeight: hasWeights, hasBias: hasWeights)
        var layer = TransformerLayer(attention: attention, feedForward: feedForward, norm: norm)
        (layer.attentionNorm, layer.feedForwardNorm) = ("self_attn_layer_norm", "final_layer_norm")
        (layer.rotary, layer.normsSums) = (nil, !normsBefore)
        var options = DecoderOptions(
            vocabulary: vocabulary, width: width, layers: try configuration.count("num_hidden_layers", default: 12),
            layer: layer, isTied: try configuration.flag("tie_word_embeddings", default: true),
            padding: try configuration.padding("pad_token_id", default: 1, rows: vocabulary))
        options.prefixes = ["model.decoder.", "decoder.", ""]
        options.finalNormName = "final_layer_norm"
        if !normsBefore || removesNorm { options.finalNorm = nil }
        let narrow = try configuration.count("word_embed_proj_dim", default: width)
        options.embeddingWidth = narrow == width ? nil : narrow
        let rows = try configuration.count("max_position_embeddings", default: 2048) + 2
        options.positions = .learned(name: "embed_positions", rows: rows, offset: 2, countsText: true)
        return options
    }
}

/// XGLM: computed positions (Lin et al., arXiv 2112.10668).
enum XGLMFamily: DecoderFamily {
    static let modelTypes = ["xglm"]
    static let inert = DecoderStack.inert.union(["init_std"])
    static let spare = DecoderStack.spare + ["embed_positions.weights"]

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        let vocabulary = try configuration.count("vocab_size", default: 256_008)
        let width = try configuration.count("d_model", default: 1024)
        let heads = try configuration.count("attention_heads", default: 16)
        guard width.isMultiple(of: 2), width >= 4 else {
            throw configuration.unsupported("d_model", "is \(width); expected an even number of 4 or more")
        }
        var attention = SelfAttention(
            heads: heads, width: try configuration.headWidth(width, heads: heads, key: "attention_heads"))
        attention.names = AttentionNames("self_attn.", "q_proj", "k_proj", "v_proj", "out_proj")
        (attention.hasBias, attention.hasOutputBias) = (true, true)
        let feedForward = FeedForward(
            form: .plain, inner: try configuration.count("ffn_dim", default: 4096),
            activation: try configuration.activation("activation_function", default: "gelu"), up: "fc1", down: "fc2",
            hasBias: true)
        var layer = TransformerLayer(attention: attention, feedForward: feedForward, norm: .layer(1e-5))
        (layer.attentionNorm, layer.feedForwardNorm) = ("self_attn_layer_norm", "final_layer_norm")
        layer.rotary = nil
        var options = DecoderOptions(
            vocabulary: vocabulary, width: width, layers: try configuration.count("num_layers", default: 24),
            layer: layer, isTied: try configuration.flag("tie_word_embeddings", default: true),
            padding: try configuration.padding("pad_token_id", default: 1, rows: vocabulary))
        // transformers clears the row of that number in the table of positions.
        guard options.padding.map({ $0 < 2 }) ?? true else {
            throw configuration.unsupported("pad_token_id", "is above 1, which takes the place of a position")
        }
        options.finalNormName = "layer_norm"
        if try configuration.flag("scale_embedding", default: true) {
            options.embeddingScale = Double(width).squareRoot()
        }
        options.positions = .sinusoidal(offset: 2)
        return options
    }
}
