internal import ExportedGraph

/// T5 from text to text (Raffel et al., arXiv 1910.10683), in its first form and that of version 1.1, mT5 (arXiv
/// 2010.11934) and umT5 (arXiv 2304.09151); or T5 as a classifier by the decoder's output at the last end of the text.
enum T5Family: ModelFamily {
    static let modelTypes = ["t5", "mt5", "umt5"]
    static let inert: Set = ["classifier_dropout", "dropout_rate", "n_positions", "output_past", "scalable_attention"]
    static let spare = ["EncDecAttention.relative_attention_bias.weight", "lm_head.weight"]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let classifier = "ForSequenceClassification"
        let isClassifier =
            try configuration.architecture(["ForConditionalGeneration", "T5WithLMHeadModel", "T5Model", classifier])
            == classifier
        try configuration.demand("is_encoder_decoder", oneOf: [.bool(true)])
        let type = try configuration.text("model_type", default: "t5")
        let vocabulary = try configuration.count("vocab_size", default: 32128)
        let width = try configuration.count("d_model", default: 512)
        let layers = try configuration.count("num_layers", default: 6)
        let decoderLayers = try configuration.count("num_decoder_layers", default: layers)
        let isTied = try configuration.flag("tie_word_embeddings", default: true)
        // mT5 never scales.
        let isScaled = try configuration.flag("scale_decoder_outputs", default: isTied) && type != "mt5"
        let prefix = draft.prefix(of: "shared.weight", among: ["", "transformer."])
        let stack = try T5Stack(configuration, width: width, prefix: prefix, hasOwnBiases: type == "umt5")

        let tokens = draft.input("input_ids", "int64", [nil, nil])
        let padding = draft.input(
            "attention_mask", "int64", [nil, nil], rule: InputRule(isPaddedAtEnd: isClassifier))
        let targets =
            isClassifier
            ? try draft.movedRight(tokens, configuration) : draft.input("decoder_input_ids", "int64", [nil, nil])
        // Version 1.1 has an output layer of its own; what has none uses the embedding, whatever is said of tying.
        let head = "lm_head.weight"
        let sharesHead = !draft.holds(head) || isTied && isScaled
        let parts = ["decoder.embed_tokens.weight", "encoder.embed_tokens.weight"].map { prefix + $0 }
        let shared = try draft.parameter(
            "\(prefix)shared.weight", [vocabulary, width],
            aliases: parts + (sharesHead && !isClassifier ? [head] : []))
        let encoded = try stack.encoder(draft.embedding(tokens, shared), padding: padding, layers: layers, draft)
        var decoded = try stack.decoder(
            draft.embedding(targets, shared), targets, of: encoded, padding: padding, layers: decoderLayers, draft)
        if isClassifier { return try draft.classifiedAtEnd(decoded, tokens, configuration) }
        if isScaled { decoded = draft.multiply(decoded, by: .double(1 / Double(width).squareRoot())) }
        return draft.linear(decoded, sharesHead ? shared : try draft.parameter(head, [vocabulary, width]))
    }
}

extension GraphBuilder {
    /// The tokens moved right by one, with the decoder's first token before them: what the decoder of a classifier
    /// reads.
    func movedRight(
        _ tokens: GraphValue, _ configuration: ModelConfiguration
    ) throws(ModelFamilyError) -> GraphValue {
        let start = try configuration.integer("decoder_start_token_id", default: -1)
        guard start >= 0 else {
            throw configuration.unsupported("decoder_start_token_id", "is missing, and the decoder begins with it")
        }
        let column = call(
            "full",
            [
                "size": .list([length(tokens, 0).argument, .int(1)]), "fill_value": .int(start),
                "dtype": .dtype("int64"), "device": .device("cpu"),
            ], [tokens.shape[0], 1], "int64")
        let rest = call(
            "slice.Tensor", ["self": tokens.argument, "dim": .int(1), "start": .int(0), "end": .int(-1)], tokens.shape,
            "int64")
        return join([column, rest], axis: 1)
    }

    /// Classes from the decoder's output at the last `eos_token_id` of each text, through the two layers of
    /// `classification_head`.
    func classifiedAtEnd(
        _ hidden: GraphValue, _ tokens: GraphValue, _ configuration: ModelConfiguration
    ) throws(ModelFamilyError) -> GraphValue {
        let end = try configuration.integer("eos_token_id", default: -1)
        guard end >= 0 else {
            throw configuration.unsupported(
                "eos_token_id", "is missing, and the classes are read at the end of the text")
        }
        let isEnd = call("eq.Scalar", ["self": tokens.argument, "other": .int(end)], tokens.shape, "bool")
        let read = lastMarked(hidden, isEnd, tokens)
        let name = "classification_head."
        let dense = try linear(read, "\(name)dense", hidden.width ?? 0, isHead: true)
        return try linear(apply(.tanh, dense), "\(name)out_proj", configuration.classes(), isHead: true)
    }
}
