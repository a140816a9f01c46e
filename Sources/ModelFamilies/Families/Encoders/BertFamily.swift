/// BERT (Devlin et al., arXiv 1810.04805). A tower that was saved without a pooler, as encoders of sentences are, is
/// pooled by the mean over the tokens that `attention_mask` shows.
enum BertFamily: ModelFamily {
    static let modelTypes = ["bert"]
    static let inert = EncoderStack.inert
    static let spare = ["cls.", "pooler.", "bert.pooler."]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let stack = EncoderStack(try .bert(configuration, prefix: "bert."), draft)
        let head = try EncoderHead(configuration)
        let isBare = try configuration.texts("architectures").first?.hasSuffix("BertModel") == true
        if isBare, head == .sequence, !draft.holds("\(stack.prefix)pooler.dense.weight") {
            return try stack.logits(head, configuration, draft, sequence: []) { draft.mean($0, over: $1.mask) }
        }
        let pooler = HeadLayer(name: "\(stack.prefix)pooler.dense", activation: .tanh)
        return try stack.logits(
            head, configuration, draft, sequence: [pooler],
            masked: .bert(configuration, stack.options.layer.norm))
    }
}

extension EncoderOptions {
    /// What the keys of BERT say: trained positions, norms behind the sums, biases everywhere.
    static func bert(
        _ configuration: ModelConfiguration, prefix: String, padding: Int = 0, epsilon: Double = 1e-12,
        types: Int = 2, countsText: Bool = false
    ) throws(ModelFamilyError) -> EncoderOptions {
        let width = try configuration.count("hidden_size", default: 768)
        let heads = try configuration.count("num_attention_heads", default: 12)
        var attention = SelfAttention(
            heads: heads, width: try configuration.headWidth(width, heads: heads, key: "num_attention_heads"))
        attention.names = AttentionNames("attention.", "self.query", "self.key", "self.value", "output.dense")
        (attention.hasBias, attention.hasOutputBias) = (true, true)
        let feedForward = FeedForward(
            form: .plain, inner: try configuration.count("intermediate_size", default: 3072),
            activation: try configuration.activation("hidden_act", default: "gelu"), up: "intermediate.dense",
            down: "output.dense", hasBias: true)
        let norm = Norm.layer(try configuration.number("layer_norm_eps", default: epsilon))
        var layer = TransformerLayer(attention: attention, feedForward: feedForward, norm: norm)
        (layer.normsSums, layer.rotary) = (true, nil)
        (layer.attentionNorm, layer.feedForwardNorm) = ("attention.output.LayerNorm", "output.LayerNorm")
        let vocabulary = try configuration.count("vocab_size", default: 30_522)
        var options = EncoderOptions(
            vocabulary: vocabulary, width: width,
            layers: try configuration.count("num_hidden_layers", default: 12), layer: layer, prefix: prefix)
        options.padding = try configuration.padding("pad_token_id", default: padding, rows: vocabulary)
        try configuration.demand("position_embedding_type", oneOf: [.string("absolute")])
        guard options.padding != nil || !countsText else {
            throw configuration.unsupported("pad_token_id", "is null, and the positions are counted from it")
        }
        options.positions = Positions(
            rows: try configuration.count("max_position_embeddings", default: 512),
            countsFrom: countsText ? options.padding : nil)
        if types > 0 { options.types = try configuration.integer("type_vocab_size", default: types) }
        options.embeddingNorm = ("embeddings.LayerNorm", norm)
        return options
    }
}
