internal import ExportedGraph

/// DistilBERT as a classifier of sequences or of tokens (Sanh et al., arXiv 1910.01108): BERT's layers without token types and
/// pooler.
enum DistilBertFamily: ModelFamily {
    static let inert: Set = [
        "attention_dropout", "dropout", "qa_dropout", "seq_classif_dropout", "sinusoidal_pos_embds", "tie_weights_",
        "tie_word_embeddings",
    ]
    static let spare = ["vocab_transform.", "vocab_layer_norm.", "vocab_projector."]

    /// Fixed in the code of the model.
    private static let epsilon = 1e-12

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let width = try configuration.count("dim", default: 768)
        let heads = try configuration.count("n_heads", default: 12)
        let inner = try configuration.count("hidden_dim", default: 3072)
        let vocabulary = try configuration.count("vocab_size", default: 30522)
        let positions = try configuration.count("max_position_embeddings", default: 512)
        let activation = try configuration.activation("activation", default: "gelu")
        let padding = try configuration.padding("pad_token_id", default: 0, rows: vocabulary)
        let headWidth = try configuration.headWidth(width, heads: heads, key: "n_heads")
        let architecture = try configuration.architecture([
            "ForSequenceClassification", "ForTokenClassification", "ForMaskedLM", "DistilBertModel",
        ])
        let prefix = draft.prefix(of: "embeddings.word_embeddings.weight", among: ["distilbert.", ""])

        let tokens = draft.input("input_ids", "int64", [nil, nil])
        let seen = draft.paddingMask(draft.paddingInput(isPaddedAtEnd: true))
        let words = try draft.parameter("\(prefix)embeddings.word_embeddings.weight", [vocabulary, width])
        let places = try draft.parameter("\(prefix)embeddings.position_embeddings.weight", [positions, width])
        let placed = draft.add(
            draft.embedding(tokens, words, padding: padding),
            draft.embedding(draft.range(draft.length(tokens, 1)), places))
        var hidden = try draft.layerNorm(placed, "\(prefix)embeddings.LayerNorm", epsilon: epsilon)
        for index in 0..<(try configuration.count("n_layers", default: 6)) {
            let layer = "\(prefix)transformer.layer.\(index)."
            let names = AttentionNames("\(layer)attention.", "q_lin", "k_lin", "v_lin", "out_lin")
            let attended = try draft.attention(hidden, names, heads: heads, width: headWidth, mask: seen)
            hidden = try draft.layerNorm(draft.add(attended, hidden), "\(layer)sa_layer_norm", epsilon: epsilon)
            let changed = try draft.feedForward(
                hidden, ("\(layer)ffn.lin1", "\(layer)ffn.lin2"), width: inner, activation)
            hidden = try draft.layerNorm(draft.add(changed, hidden), "\(layer)output_layer_norm", epsilon: epsilon)
        }
        if architecture == "ForTokenClassification" {
            return try draft.linear(hidden, "classifier", configuration.classes(), isHead: true)
        }
        let first = try draft.linear(draft.select(hidden, 1, 0), "pre_classifier", width, isHead: true)
        return try draft.linear(draft.apply(.relu, first), "classifier", configuration.classes(), isHead: true)
    }
}
