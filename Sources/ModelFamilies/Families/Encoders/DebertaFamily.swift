/// DeBERTa 1 to 3 (He et al., arXiv 2006.03654, 2111.09543).
enum DebertaFamily: ModelFamily {
    static let modelTypes = ["deberta", "deberta-v2"]
    static let inert = EncoderStack.inert.union(["pooler_dropout", "pooler_size", "pooling", "legacy", "padding_idx"])
    static let spare = ["cls.", "lm_predictions.", "mask_predictions.", "pooler.", "legacy_lm_head."]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let isFirst = try configuration.text("model_type", default: "") == "deberta"
        var options = try EncoderOptions.bert(
            configuration, prefix: "deberta.", epsilon: 1e-7, types: 0)
        options.types = try configuration.integer("type_vocab_size", default: 0)
        if try !configuration.flag("position_biased_input", default: true) { options.positions = nil }
        options.clearsPadding = true
        options.embeddingWidth = try configuration.count("embedding_size", default: options.width)
        if options.embeddingWidth != options.width { options.projection = ("embeddings.embed_proj", false) }
        options.normsProjected = true
        try configuration.demand("talking_head", oneOf: [])
        let heads = options.layer.attention.heads
        let width = try configuration.count("attention_head_size", default: options.layer.attention.width)
        let kinds = try positionKinds(configuration)
        let isRelative = try configuration.flag("relative_attention", default: false)
        let sharesKeys = try configuration.flag("share_att_key", default: false) && !isFirst
        options.layer.disentangled = DisentangledAttention(
            heads: heads, width: width, hasContentToPosition: kinds.contains("c2p"),
            hasPositionToContent: kinds.contains("p2c"), isFirst: isFirst,
            sharesKeys: sharesKeys, isRelative: isRelative)
        if isRelative { try addDistances(configuration, &options, isFirst: isFirst) }
        let kernel = try isFirst ? 0 : configuration.integer("conv_kernel_size", default: 0)
        if kernel > 0 {
            options.convolution = (
                kernel, try configuration.count("conv_groups", default: 1),
                try configuration.activation("conv_act", default: "tanh")
            )
        }
        try configuration.demand("pooler_hidden_size", oneOf: [.integer(options.width)])
        let stack = EncoderStack(options, draft)
        let pooler = HeadLayer(
            name: "pooler.dense", activation: try configuration.activation("pooler_hidden_act", default: "gelu"))
        return try stack.logits(
            EncoderHead(configuration), configuration, draft, sequence: [pooler],
            masked: masked(configuration, options.layer.norm))
    }

    /// Under BERT's names, or where `legacy` is off under those of the first release, which ties the table whatever is
    /// said of tying.
    private static func masked(
        _ configuration: ModelConfiguration, _ norm: Norm
    ) throws(ModelFamilyError) -> MaskedHead {
        guard try !configuration.flag("legacy", default: true) else { return try .bert(configuration, norm) }
        let name = "lm_predictions.lm_head"
        var head = try MaskedHead(
            "\(name).dense", configuration.activation("hidden_act", default: "gelu"),
            norm: ("\(name).LayerNorm", norm), decoder: "\(name).decoder", bias: ["\(name).bias"], configuration)
        head.isTied = true
        return head
    }

    private static func addDistances(
        _ configuration: ModelConfiguration, _ options: inout EncoderOptions, isFirst: Bool
    ) throws(ModelFamilyError) {
        let longest = try configuration.count("max_position_embeddings", default: 512)
        let given = try configuration.integer("max_relative_positions", default: -1)
        let maximum = given < 1 ? longest : given
        let buckets = isFirst ? -1 : try configuration.integer("position_buckets", default: -1)
        guard buckets < 1 || buckets >= 4 && maximum > buckets / 2 + 1 else {
            throw configuration.unsupported("position_buckets", "is \(buckets) at a longest distance of \(maximum)")
        }
        let norms = isFirst ? "" : try configuration.text("norm_rel_ebd", default: "none").lowercased()
        options.distances = (
            buckets > 0 ? buckets : maximum, buckets, maximum,
            norms.split(separator: "|").contains { $0.filter { $0 != " " } == "layer_norm" } ? options.layer.norm : nil
        )
    }

    /// `pos_att_type`: a list, or names with bars between them.
    private static func positionKinds(_ configuration: ModelConfiguration) throws(ModelFamilyError) -> [String] {
        let key = "pos_att_type"
        let kinds =
            configuration.isText(key)
            ? try configuration.text(key, default: "").lowercased().split(separator: "|").map {
                $0.filter { $0 != " " }
            }
            : try configuration.texts(key)
        if let other = kinds.first(where: { $0 != "c2p" && $0 != "p2c" }) {
            throw configuration.unsupported(key, "has \"\(other)\", which is not built here")
        }
        return kinds
    }
}
