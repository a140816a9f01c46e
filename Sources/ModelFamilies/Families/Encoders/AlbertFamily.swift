/// ALBERT: BERT whose layers share their weights, with narrower embeddings (Lan et al., arXiv 1909.11942).
enum AlbertFamily: ModelFamily {
    static let modelTypes = ["albert"]
    static let inert = EncoderStack.inert.union([
        "down_scale_factor", "gap_size", "net_structure_type", "num_memory_blocks",
    ])
    static let spare = ["predictions.", "sop_classifier.", "pooler.", "albert.pooler."]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        var options = try EncoderOptions.bert(configuration, prefix: "albert.")
        options.layer.attention.names = AttentionNames("attention.", "query", "key", "value", "dense")
        (options.layer.attentionNorm, options.layer.feedForwardNorm) = ("attention.LayerNorm", "full_layer_layer_norm")
        (options.layer.feedForward.up, options.layer.feedForward.down) = ("ffn", "ffn_output")
        try configuration.demand("inner_group_num", oneOf: [.integer(1)])
        let groups = try configuration.count("num_hidden_groups", default: 1)
        let layers = options.layers
        options.layerName = { index in
            let group = Int(Double(index) / (Double(layers) / Double(groups)))
            return "encoder.albert_layer_groups.\(group).albert_layers.0."
        }
        options.embeddingWidth = try configuration.count("embedding_size", default: 128)
        options.projection = ("encoder.embedding_hidden_mapping_in", true)
        let stack = EncoderStack(options, draft)
        let pooler = HeadLayer(name: "\(stack.prefix)pooler", activation: .tanh)
        return try stack.logits(
            EncoderHead(configuration), configuration, draft, sequence: [pooler],
            masked: MaskedHead(
                "predictions.dense", options.layer.feedForward.activation,
                norm: ("predictions.LayerNorm", options.layer.norm), decoder: "predictions.decoder",
                bias: ["predictions.bias", "predictions.decoder.bias"], configuration))
    }
}
