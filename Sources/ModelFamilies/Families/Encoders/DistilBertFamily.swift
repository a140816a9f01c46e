/// DistilBERT: BERT's layers without kinds of tokens and pooler (Sanh et al., arXiv 1910.01108).
enum DistilBertFamily: ModelFamily {
    static let modelTypes = ["distilbert"]
    static let inert: Set = [
        "attention_dropout", "dropout", "qa_dropout", "seq_classif_dropout", "sinusoidal_pos_embds", "tie_weights_",
        "tie_word_embeddings",
    ]
    static let spare = ["vocab_transform.", "vocab_layer_norm.", "vocab_projector."]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let width = try configuration.count("dim", default: 768)
        let heads = try configuration.count("n_heads", default: 12)
        var attention = SelfAttention(
            heads: heads, width: try configuration.headWidth(width, heads: heads, key: "n_heads"))
        attention.names = AttentionNames("attention.", "q_lin", "k_lin", "v_lin", "out_lin")
        (attention.hasBias, attention.hasOutputBias) = (true, true)
        let feedForward = FeedForward(
            form: .plain, inner: try configuration.count("hidden_dim", default: 3072),
            activation: try configuration.activation("activation", default: "gelu"), up: "ffn.lin1", down: "ffn.lin2",
            hasBias: true)
        var layer = TransformerLayer(attention: attention, feedForward: feedForward, norm: .layer(1e-12))
        (layer.normsSums, layer.rotary) = (true, nil)
        (layer.attentionNorm, layer.feedForwardNorm) = ("sa_layer_norm", "output_layer_norm")
        let vocabulary = try configuration.count("vocab_size", default: 30_522)
        var options = EncoderOptions(
            vocabulary: vocabulary, width: width, layers: try configuration.count("n_layers", default: 6), layer: layer,
            prefix: "distilbert.")
        options.layerName = { "transformer.layer.\($0)." }
        options.padding = try configuration.padding("pad_token_id", default: 0, rows: vocabulary)
        options.positions = .init(rows: try configuration.count("max_position_embeddings", default: 512))
        options.embeddingNorm = ("embeddings.LayerNorm", layer.norm)
        return try EncoderStack(options, draft).logits(
            EncoderHead(configuration), configuration, draft,
            sequence: [HeadLayer(name: "pre_classifier", activation: .relu)],
            masked: MaskedHead(
                "vocab_transform", feedForward.activation, norm: ("vocab_layer_norm", layer.norm),
                decoder: "vocab_projector", bias: ["vocab_projector.bias"], configuration))
    }
}
