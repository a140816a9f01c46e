internal import ExportedGraph

/// The encoder that BERT and RoBERTa share (Devlin et al., arXiv 1810.04805; Liu et al., arXiv 1907.11692): embeddings, then layers
/// whose norms follow their sums.
struct BertTower {
    let prefix: String
    let width: Int
    private let vocabulary: Int
    private let positions: Int
    private let types: Int
    private let layers: Int
    private let heads: Int
    private let headWidth: Int
    private let inner: Int
    private let activation: Activation
    private let epsilon: Double
    /// The token that is no text; nil where every row of the embedding is trained.
    private let padding: Int?
    /// Positions number the tokens that are no padding, from the one after its number, as RoBERTa's do; else all from 0.
    private let countsText: Bool

    /// Keys that say nothing about the logits; the pooler's shape was never built by transformers.
    static let inert: Set = [
        "attention_probs_dropout_prob", "directionality", "hidden_dropout_prob", "pooler_fc_size",
        "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type",
        "tie_word_embeddings",
    ]

    init(
        _ configuration: ModelConfiguration, prefix: String, padding: Int, countsText: Bool, _ draft: GraphBuilder
    ) throws(ModelFamilyError) {
        vocabulary = try configuration.count("vocab_size", default: 30522)
        width = try configuration.count("hidden_size", default: 768)
        layers = try configuration.count("num_hidden_layers", default: 12)
        heads = try configuration.count("num_attention_heads", default: 12)
        inner = try configuration.count("intermediate_size", default: 3072)
        positions = try configuration.count("max_position_embeddings", default: 512)
        types = try configuration.count("type_vocab_size", default: 2)
        activation = try configuration.activation("hidden_act", default: "gelu")
        epsilon = try configuration.number("layer_norm_eps", default: 1e-12)
        self.padding = try configuration.padding("pad_token_id", default: padding, rows: vocabulary)
        try configuration.demand("position_embedding_type", oneOf: [.string("absolute")])
        guard self.padding != nil || !countsText else {
            throw configuration.unsupported("pad_token_id", "is null, and the positions are counted from it")
        }
        self.countsText = countsText
        headWidth = try configuration.headWidth(width, heads: heads, key: "num_attention_heads")
        self.prefix = draft.prefix(of: "embeddings.word_embeddings.weight", among: [prefix, ""])
    }

    /// Tokens, the mask of padding, and, where there is more than one type, the tokens' types: 0 where they are not given, as in
    /// transformers.
    struct Inputs {
        var tokens: GraphValue
        var mask: GraphValue
        var kinds: GraphValue?
    }

    /// `readsFirst`: whether the prediction is made of the first token. Positions that count the text alone don't mind what stands
    /// before it.
    func inputs(_ draft: GraphBuilder, readsFirst: Bool) -> Inputs {
        let tokens = draft.input("input_ids", "int64", [nil, nil])
        let mask = draft.paddingInput(isPaddedAtEnd: readsFirst || !countsText)
        let kinds =
            types > 1
            ? draft.input("token_type_ids", "int64", [nil, nil], rule: InputRule(zerosLike: tokens.name)) : nil
        return Inputs(tokens: tokens, mask: mask, kinds: kinds)
    }

    /// The last layer's output [batch, tokens, width].
    func output(_ inputs: Inputs, _ draft: GraphBuilder) throws(ModelFamilyError) -> GraphValue {
        let tokens = inputs.tokens
        let words = try draft.parameter("\(prefix)embeddings.word_embeddings.weight", [vocabulary, width])
        let kinds = try draft.parameter("\(prefix)embeddings.token_type_embeddings.weight", [types, width])
        let places = try draft.parameter("\(prefix)embeddings.position_embeddings.weight", [positions, width])
        let numbers = countsText ? textPositions(tokens, draft) : draft.range(draft.length(tokens, 1))
        let kind = inputs.kinds.map { draft.embedding($0, kinds) } ?? draft.select(kinds, 0, 0)
        let text = draft.add(draft.embedding(tokens, words, padding: padding), kind)
        let placed = draft.add(
            text, draft.embedding(numbers, places, padding: countsText ? padding : nil))
        var hidden = try draft.layerNorm(placed, "\(prefix)embeddings.LayerNorm", epsilon: epsilon)
        let seen = draft.paddingMask(inputs.mask)
        for index in 0..<layers {
            let layer = "\(prefix)encoder.layer.\(index)."
            let names = AttentionNames(
                "\(layer)attention.", "self.query", "self.key", "self.value", "output.dense")
            let attended = try draft.attention(hidden, names, heads: heads, width: headWidth, mask: seen)
            hidden = try draft.layerNorm(
                draft.add(attended, hidden), "\(layer)attention.output.LayerNorm", epsilon: epsilon)
            let changed = try draft.feedForward(
                hidden, ("\(layer)intermediate.dense", "\(layer)output.dense"), width: inner, activation)
            hidden = try draft.layerNorm(draft.add(changed, hidden), "\(layer)output.LayerNorm", epsilon: epsilon)
        }
        return hidden
    }

    /// Numbers of the tokens that are text, after the padding's own number, which padding keeps.
    private func textPositions(_ tokens: GraphValue, _ draft: GraphBuilder) -> GraphValue {
        let number = padding ?? 0
        let isText = draft.call("ne.Scalar", ["self": tokens.argument, "other": .int(number)], tokens.shape, "bool")
        let ones = draft.convert(isText, to: "int64")
        let counted = draft.call("cumsum", ["self": ones.argument, "dim": .int(1)], tokens.shape, "int64")
        return draft.add(draft.multiply(counted, ones), .int(number))
    }
}
