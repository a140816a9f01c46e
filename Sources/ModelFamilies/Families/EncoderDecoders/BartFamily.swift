/// BART (Lewis et al., arXiv 1910.13461), mBART (arXiv 2001.08210), Pegasus (arXiv 1912.08777), Marian (Junczys-Dowmunt
/// et al., 2018), M2M100 and NLLB (arXiv 2010.11125, 2207.04672).
enum BartFamily: ModelFamily {
    static let modelTypes = ["bart", "mbart", "pegasus", "marian", "m2m_100"]
    static let inert: Set = [
        "_num_labels", "activation_dropout", "add_bias_logits", "add_final_layer_norm", "attention_dropout",
        "classif_dropout", "classifier_dropout", "decoder_layerdrop", "dropout", "encoder_layerdrop",
        "extra_pos_embeddings", "force_bos_token_to_be_generated", "init_std", "layerdrop", "max_position_embeddings",
        "normalize_before", "normalize_embedding", "num_hidden_layers", "output_past", "save_step",
        "static_position_embeddings", "tokenizer_class", "decoder_vocab_size",
    ]
    static let spare = [
        "embed_positions.weights", "embed_positions.weight", "lm_head.weight", "final_logits_bias",
        "classification_head.",
    ]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let type = try configuration.text("model_type", default: "")
        let classifier = "ForSequenceClassification"
        let isClassifier =
            try configuration.architecture([
                "ForConditionalGeneration", "MarianMTModel", "BartModel", "PegasusModel", "M2M100Model", classifier,
            ]) == classifier
        guard !isClassifier || type == "bart" else {
            throw configuration.unsupported("architectures", "has a classifier, which is built here for bart alone")
        }
        try configuration.demand("is_encoder_decoder", oneOf: [.bool(true)])
        try configuration.demand("share_encoder_decoder_embeddings", oneOf: [.bool(true)])
        let isMarian = type == "marian"
        let vocabulary = try configuration.count("vocab_size", default: isMarian ? 58_101 : 50_265)
        let width = try configuration.count("d_model", default: 1024)
        func side(_ name: String) throws(ModelFamilyError) -> EncoderDecoderOptions.Side {
            let heads = try configuration.count("\(name)_attention_heads", default: 16)
            _ = try configuration.headWidth(width, heads: heads, key: "\(name)_attention_heads")
            return EncoderDecoderOptions.Side(
                layers: try configuration.count("\(name)_layers", default: 12), heads: heads,
                inner: try configuration.count("\(name)_ffn_dim", default: 4096))
        }
        let padding = try configuration.padding("pad_token_id", default: isMarian ? 58_100 : 1, rows: vocabulary)
        let rows = try configuration.count("max_position_embeddings", default: 1024)
        let isScaled = try configuration.flag("scale_embedding", default: type == "m2m_100")
        guard width >= 4, width.isMultiple(of: 2) else {
            throw configuration.unsupported("d_model", "is \(width); expected an even number of 4 or more")
        }
        let positions: EncoderDecoderOptions.Positions =
            switch type {
            case "bart", "mbart": .learned(rows: rows)
            case "m2m_100": .computedForText(padding: padding ?? 1)
            default: .computed
            }
        let activation = ["bart": "gelu", "mbart": "gelu", "marian": "gelu"][type] ?? "relu"
        let options = EncoderDecoderOptions(
            vocabulary: vocabulary, width: width, encoder: try side("encoder"), decoder: try side("decoder"),
            activation: try configuration.activation("activation_function", default: activation),
            normsFirst: type != "bart" && !isMarian, normsEmbedding: type == "bart" || type == "mbart",
            positions: positions, embeddingScale: isScaled ? Double(width).squareRoot() : nil, padding: padding,
            isTied: try configuration.flag("tie_word_embeddings", default: true), hasLogitsBias: type != "m2m_100")
        return try EncoderDecoderStack(options, draft).logits(configuration, isClassifier: isClassifier)
    }
}
