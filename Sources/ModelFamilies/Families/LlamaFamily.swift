internal import ExportedGraph
internal import Files

/// Llama as a causal language model or a classifier of sequences (Touvron et al., arXiv 2302.13971), with positions that turn
/// queries and keys.
enum LlamaFamily: ModelFamily {
    static let inert: Set = ["attention_dropout", "is_llama_config", "max_position_embeddings", "max_sequence_length"]
    static let spare = ["rotary_emb.inv_freq", "lm_head.weight"]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let classifier = "LlamaForSequenceClassification"
        let isClassifier = try configuration.architecture(["LlamaForCausalLM", classifier]) == classifier
        let vocabulary = try configuration.count("vocab_size", default: 32000)
        let width = try configuration.count("hidden_size", default: 4096)
        let inner = try configuration.count("intermediate_size", default: 11008)
        let layers = try configuration.count("num_hidden_layers", default: 32)
        let activation = try configuration.activation("hidden_act", default: "silu")
        let epsilon = try configuration.number("rms_norm_eps", default: 1e-6)
        let hasBias = try configuration.flag("mlp_bias", default: false)
        let padding = try configuration.padding("pad_token_id", default: nil, rows: vocabulary)
        let isTied = try configuration.flag("tie_word_embeddings", default: false)
        try configuration.demand("pretraining_tp", oneOf: [.integer(1)])
        let attention = try LlamaAttention(configuration, width: width)

        let tokens = draft.input("input_ids", "int64", [nil, nil])
        let mask = draft.causalMask(tokens, padding: draft.paddingInput(isPaddedAtEnd: false))
        let head = "lm_head.weight"
        let embedding = try draft.parameter(
            "model.embed_tokens.weight", [vocabulary, width], aliases: isTied && !isClassifier ? [head] : [])
        let rotation = attention.rotation(draft.length(tokens, 1), draft)
        var hidden = draft.embedding(tokens, embedding, padding: padding)
        for index in 0..<layers {
            let layer = "model.layers.\(index)."
            let normed = try draft.rmsNorm(hidden, "\(layer)input_layernorm.weight", epsilon: epsilon)
            hidden = draft.add(hidden, try attention.output(normed, "\(layer)self_attn.", rotation, mask, draft))
            let changed = try draft.gatedFeedForward(
                draft.rmsNorm(hidden, "\(layer)post_attention_layernorm.weight", epsilon: epsilon),
                ("\(layer)mlp.gate_proj", "\(layer)mlp.up_proj", "\(layer)mlp.down_proj"), width: inner, activation,
                hasBias: hasBias)
            hidden = draft.add(hidden, changed)
        }
        let normed = try draft.rmsNorm(hidden, "model.norm.weight", epsilon: epsilon)
        guard !isClassifier else {
            return try draft.classified(normed, tokens, configuration, vocabulary: vocabulary)
        }
        return draft.linear(normed, isTied ? embedding : try draft.parameter(head, [vocabulary, width]))
    }
}
