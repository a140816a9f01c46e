/// RoBERTa, XLM-RoBERTa and CamemBERT: BERT with positions that count the text alone (Liu et al., arXiv 1907.11692).
enum RobertaFamily: ModelFamily {
    static let modelTypes = ["roberta", "xlm-roberta", "camembert"]
    static let inert = EncoderStack.inert
    static let spare = ["lm_head.", "pooler.", "roberta.pooler."]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let stack = EncoderStack(
            try .bert(configuration, prefix: "roberta.", padding: 1, countsText: true), draft)
        return try stack.denseHead(
            configuration, draft, activation: .tanh, masked: .roberta(configuration, stack.options.layer.norm))
    }
}

/// MPNet: RoBERTa without kinds of tokens, with a bias by distance (Song et al., arXiv 2004.09297).
enum MPNetFamily: ModelFamily {
    static let modelTypes = ["mpnet"]
    static let inert = EncoderStack.inert
    static let spare = ["lm_head.", "pooler.", "mpnet.pooler."]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        var options = try EncoderOptions.bert(configuration, prefix: "mpnet.", types: 0)
        // Fixed in the code of the model.
        options.padding = 1
        options.positions?.countsFrom = 1
        options.layer.attention.names = AttentionNames("attention.attn.", "q", "k", "v", "o")
        options.layer.attentionNorm = "attention.LayerNorm"
        let buckets = try configuration.count("relative_attention_num_buckets", default: 32)
        guard buckets == 32 else {
            throw configuration.unsupported("relative_attention_num_buckets", "is \(buckets); expected 32")
        }
        options.relativeBias = ("encoder.relative_attention_bias", buckets)
        return try EncoderStack(options, draft).denseHead(
            configuration, draft, activation: .tanh, masked: .roberta(configuration, options.layer.norm))
    }
}

/// ELECTRA: BERT with narrower embeddings (Clark et al., arXiv 2003.10555).
enum ElectraFamily: ModelFamily {
    static let modelTypes = ["electra"]
    static let inert = EncoderStack.inert.union([
        "summary_activation", "summary_last_dropout", "summary_type", "summary_use_proj",
    ])
    static let spare = ["discriminator_predictions.", "generator_predictions.", "generator_lm_head."]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        var options = try EncoderOptions.bert(configuration, prefix: "electra.")
        options.embeddingWidth = try configuration.count("embedding_size", default: 128)
        if options.embeddingWidth != options.width { options.projection = ("embeddings_project", true) }
        let stack = EncoderStack(options, draft)
        let head = try EncoderHead(configuration)
        guard head == .choices else {
            let masked = try MaskedHead(
                "generator_predictions.dense", .gelu,
                norm: ("generator_predictions.LayerNorm", options.layer.norm), decoder: "generator_lm_head",
                bias: ["generator_lm_head.bias"], configuration)
            return try stack.denseHead(configuration, draft, activation: .gelu, masked: masked)
        }
        try configuration.demand("summary_type", oneOf: [.string("first")])
        let name = try configuration.text("summary_activation", default: "")
        let activation = name.isEmpty ? nil : try configuration.activation("summary_activation", default: name)
        let summary = HeadLayer(name: "sequence_summary.summary", activation: activation)
        let isProjected = try configuration.flag("summary_use_proj", default: true)
        return try stack.logits(head, configuration, draft, sequence: isProjected ? [summary] : [])
    }
}

extension EncoderStack {
    /// Sequences by the two layers of `classifier`, choices by the pooler.
    func denseHead(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder, activation: Activation, masked: MaskedHead
    ) throws(ModelFamilyError) -> GraphValue {
        let head = try EncoderHead(configuration)
        guard head == .choices else {
            let dense = HeadLayer(name: "classifier.dense", activation: activation)
            return try logits(
                head, configuration, graph, sequence: [dense], classifier: "classifier.out_proj", masked: masked)
        }
        let pooler = HeadLayer(name: "\(prefix)pooler.dense", activation: .tanh)
        return try logits(head, configuration, graph, sequence: [pooler])
    }
}
