internal import ExportedGraph

/// A model from text to text with attention from the second to the first: what `EncoderDecoderStack` builds of it.
struct EncoderDecoderOptions {
    enum Positions {
        /// A trained table for each stack, of which the first two rows are no position.
        case learned(rows: Int)
        /// Computed from the first token on (Marian, Pegasus).
        case computed
        /// Computed for the tokens that are not padding; 0 for padding (M2M100).
        case computedForText(padding: Int)
    }

    /// Width, heads and width of the feed-forward part of a stack, and its number of layers.
    struct Side {
        var layers: Int
        var heads: Int
        var inner: Int
    }

    var vocabulary: Int
    var width: Int
    var encoder: Side
    var decoder: Side
    var activation: Activation
    /// Norms before each part, and one behind each stack; else norms of the sums.
    var normsFirst: Bool
    /// A norm of the embeddings.
    var normsEmbedding: Bool
    var positions: Positions
    var embeddingScale: Double?
    var padding: Int?
    var isTied: Bool
    /// Whether transformers gives the model a bias of the logits, which is not trained.
    var hasLogitsBias: Bool
}

/// Writes the graph of an encoder and a decoder (Lewis et al., arXiv 1910.13461): logits [batch, targets, vocabulary],
/// or classes by the decoder's output at the last end of the text.
struct EncoderDecoderStack {
    let options: EncoderDecoderOptions
    private let graph: GraphBuilder
    private let prefix: String
    private let norm = Norm.layer(1e-5)

    init(_ options: EncoderDecoderOptions, _ graph: GraphBuilder) {
        self.options = options
        self.graph = graph
        prefix = graph.prefix(of: "encoder.layers.0.fc1.weight", among: ["model.", ""])
    }

    func logits(_ configuration: ModelConfiguration, isClassifier: Bool) throws(ModelFamilyError) -> GraphValue {
        let tokens = graph.input("input_ids", "int64", [nil, nil])
        let padding = graph.paddingInput(isPaddedAtEnd: true)
        let targets =
            isClassifier
            ? try graph.movedRight(tokens, configuration) : graph.input("decoder_input_ids", "int64", [nil, nil])
        let head = "lm_head.weight"
        let isShared = options.isTied && !isClassifier
        let names = ["shared.weight", "decoder.embed_tokens.weight", "encoder.embed_tokens.weight"].map { prefix + $0 }
        // Files have the shared table, or one of the others in its place.
        let first = names.first(where: graph.holds) ?? names[0]
        let table = try graph.parameter(
            first, [options.vocabulary, options.width],
            aliases: names.filter { $0 != first } + (isShared ? [head] : []))
        let seen = graph.paddingMask(padding)
        let encoded = try stack(tokens, table, "encoder.", options.encoder, selfMask: seen, nil, nil)
        let decoded = try stack(
            targets, table, "decoder.", options.decoder, selfMask: graph.causalMask(targets), encoded, seen)
        if isClassifier { return try graph.classifiedAtEnd(decoded, tokens, configuration) }
        let weight =
            isShared
            ? table
            : try graph.parameter(head, [options.vocabulary, options.width], isHead: prefix.isEmpty)
        let logits = graph.linear(decoded, weight)
        // A base without its head has none, and its tasks do.
        let bias = "final_logits_bias"
        let isTasks = prefix.isEmpty && options.hasLogitsBias
        guard isTasks || graph.holds(bias) else { return logits }
        return graph.add(
            logits, try graph.parameter(bias, [1, options.vocabulary], isHead: isTasks, kind: .buffer))
    }

    private func stack(
        _ tokens: GraphValue, _ table: GraphValue, _ side: String, _ size: EncoderDecoderOptions.Side,
        selfMask: GraphValue, _ source: GraphValue?, _ sourceMask: GraphValue?
    ) throws(ModelFamilyError) -> GraphValue {
        let name = prefix + side
        var hidden = try embedded(tokens, table, name)
        var attention = SelfAttention(heads: size.heads, width: options.width / size.heads)
        (attention.hasBias, attention.hasOutputBias) = (true, true)
        attention.names = AttentionNames("", "q_proj", "k_proj", "v_proj", "out_proj")
        let feedForward = FeedForward(
            form: .plain, inner: size.inner, activation: options.activation, up: "fc1", down: "fc2", hasBias: true)
        for index in 0..<size.layers {
            let layer = "\(name)layers.\(index)."
            hidden = try part(hidden, "\(layer)self_attn_layer_norm") { value throws(ModelFamilyError) in
                try attention.output(value, "\(layer)self_attn.", mask: selfMask, graph)
            }
            if let source {
                hidden = try part(hidden, "\(layer)encoder_attn_layer_norm") { value throws(ModelFamilyError) in
                    try attention.output(value, to: source, "\(layer)encoder_attn.", mask: sourceMask, graph)
                }
            }
            hidden = try part(hidden, "\(layer)final_layer_norm") { value throws(ModelFamilyError) in
                try feedForward.output(value, layer, graph)
            }
        }
        return options.normsFirst ? try graph.norm(hidden, "\(name)layer_norm", norm) : hidden
    }

    private func part(
        _ hidden: GraphValue, _ name: String,
        _ output: (GraphValue) throws(ModelFamilyError) -> GraphValue
    ) throws(ModelFamilyError) -> GraphValue {
        guard options.normsFirst else { return try graph.norm(graph.add(hidden, output(hidden)), name, norm) }
        return graph.add(hidden, try output(graph.norm(hidden, name, norm)))
    }

    private func embedded(
        _ tokens: GraphValue, _ table: GraphValue, _ name: String
    ) throws(ModelFamilyError) -> GraphValue {
        var hidden = graph.embedding(tokens, table, padding: options.padding)
        if let scale = options.embeddingScale { hidden = graph.multiply(hidden, by: .double(scale)) }
        let numbers = graph.range(graph.length(tokens, 1))
        switch options.positions {
        case .learned(let rows):
            let positions = try graph.parameter("\(name)embed_positions.weight", [rows + 2, options.width])
            hidden = graph.add(hidden, graph.embedding(graph.add(numbers, .int(2)), positions))
        case .computed:
            hidden = graph.add(hidden, graph.exactSinusoids(numbers, options.width))
        case .computedForText(let padding):
            hidden = graph.add(hidden, graph.textSinusoids(tokens, padding: padding, options.width))
        }
        guard options.normsEmbedding else { return hidden }
        return try graph.norm(hidden, "\(name)layernorm_embedding", norm)
    }
}
