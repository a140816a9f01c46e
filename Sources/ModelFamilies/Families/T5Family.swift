internal import ExportedGraph

/// T5 from text to text (Raffel et al., arXiv 1910.10683), in its first form and that of version 1.1.
enum T5Family: ModelFamily {
    static let inert: Set = ["classifier_dropout", "dropout_rate", "n_positions"]
    static let spare = ["EncDecAttention.relative_attention_bias.weight"]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        _ = try configuration.architecture(["T5ForConditionalGeneration", "T5WithLMHeadModel"])
        try configuration.demand("is_encoder_decoder", oneOf: [.bool(true)])
        let vocabulary = try configuration.count("vocab_size", default: 32128)
        let width = try configuration.count("d_model", default: 512)
        let layers = try configuration.count("num_layers", default: 6)
        let decoderLayers = try configuration.count("num_decoder_layers", default: layers)
        let isTied = try configuration.flag("tie_word_embeddings", default: true)
        let isScaled = try configuration.flag("scale_decoder_outputs", default: isTied)
        let stack = try T5Stack(configuration, width: width)

        let tokens = draft.input("input_ids", "int64", [nil, nil])
        let padding = draft.input("attention_mask", "int64", [nil, nil])
        let targets = draft.input("decoder_input_ids", "int64", [nil, nil])
        // Version 1.1 has an output layer of its own; what has none uses the embedding, whatever is said of tying.
        let head = "lm_head.weight"
        let sharesHead = !draft.holds(head) || isTied && isScaled
        let shared = try draft.parameter(
            "shared.weight", [vocabulary, width],
            aliases: ["decoder.embed_tokens.weight", "encoder.embed_tokens.weight"] + (sharesHead ? [head] : []))
        let encoded = try stack.encoder(draft.embedding(tokens, shared), padding: padding, layers: layers, draft)
        var decoded = try stack.decoder(
            draft.embedding(targets, shared), targets, of: encoded, padding: padding, layers: decoderLayers, draft)
        if isScaled { decoded = draft.multiply(decoded, by: .double(1 / Double(width).squareRoot())) }
        return draft.linear(decoded, sharesHead ? shared : try draft.parameter(head, [vocabulary, width]))
    }
}
