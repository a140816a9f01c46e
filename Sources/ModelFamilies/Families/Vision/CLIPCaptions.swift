internal import ExportedGraph

/// Both sides of CLIP (Radford et al., arXiv 2103.00020): each image has texts of its own, [images, texts, tokens], and
/// the logits [images, texts] are their cosines times `exp(logit_scale)`. With a text for each class that is its
/// zero-shot classification.
struct CLIPCaptions {
    private let graph: GraphBuilder
    private let layer: TransformerLayer
    private let layers: Int
    private let width: Int
    private let vocabulary: Int
    private let positions: Int
    /// The token at which a text is read; nil: where its number is the highest.
    private let end: Int?
    /// Width of what both sides are projected to.
    private let shared: Int

    static let inert = DecoderStack.inert.union(VisionStack.inert)

    /// `text`: the configuration of that side.
    init(_ text: ModelConfiguration, width shared: Int, _ graph: GraphBuilder) throws(ModelFamilyError) {
        self.graph = graph
        self.shared = shared
        width = try text.count("hidden_size", default: 512)
        layers = try text.count("num_hidden_layers", default: 12)
        vocabulary = try text.count("vocab_size", default: 49408)
        positions = try text.count("max_position_embeddings", default: 77)
        // 2 stands in the configurations of models whose text ends in another token, the last of their vocabulary.
        let end = try text.integer("eos_token_id", default: 49407)
        self.end = end == 2 ? nil : end
        let heads = try text.count("num_attention_heads", default: 8)
        var attention = SelfAttention(
            heads: heads, width: try text.headWidth(width, heads: heads, key: "num_attention_heads"))
        attention.names = AttentionNames("self_attn.", "q_proj", "k_proj", "v_proj", "out_proj")
        (attention.hasBias, attention.hasOutputBias) = (true, true)
        var feedForward = FeedForward(
            form: .plain, inner: try text.count("intermediate_size", default: 2048),
            activation: try text.activation("hidden_act", default: "quick_gelu"), hasBias: true)
        (feedForward.up, feedForward.down) = ("mlp.fc1", "mlp.fc2")
        var layer = TransformerLayer(
            attention: attention, feedForward: feedForward,
            norm: .layer(try text.number("layer_norm_eps", default: 1e-5)))
        (layer.attentionNorm, layer.feedForwardNorm) = ("layer_norm1", "layer_norm2")
        layer.rotary = nil
        self.layer = layer
        try text.checkRest(inert: Self.inert.union(ModelConfiguration.inert))
    }

    /// The logits for the tokens [images, tokens, width] of the image side, of which the first is read through `norm`.
    func logits(image hidden: GraphValue, _ norm: (name: String, Norm)) throws(ModelFamilyError) -> GraphValue {
        let first = try graph.norm(graph.select(hidden, 1, 0), norm.name, norm.1)
        let image = unit(try graph.linear(first, "visual_projection", shared, hasBias: false))
        let tokens = graph.input("input_ids", "int64", [nil, nil, nil])
        let mask = graph.input("attention_mask", "int64", [nil, nil, nil], rule: InputRule(isPaddedAtEnd: true))
        let text = unit(
            try graph.linear(read(flat(tokens), flat(mask)), "text_projection", shared, hasBias: false))
        let texts = graph.reshape(text, [graph.length(tokens, 0), graph.length(tokens, 1), .known(shared)])
        let cosines = graph.select(graph.matmul(texts, graph.unsqueeze(image, 2)), 2, 0)
        return graph.multiply(cosines, graph.map("exp", try graph.parameter("logit_scale", [])))
    }

    /// The vector [texts, width] at the end of each text.
    private func read(_ tokens: GraphValue, _ mask: GraphValue) throws(ModelFamilyError) -> GraphValue {
        let words = try graph.parameter("text_model.embeddings.token_embedding.weight", [vocabulary, width])
        let table = try graph.parameter("text_model.embeddings.position_embedding.weight", [positions, width])
        let places = graph.embedding(graph.range(graph.length(tokens, 1)), table)
        var hidden = graph.add(graph.embedding(tokens, words), places)
        var context = LayerContext()
        context.mask = graph.causalMask(tokens, padding: mask)
        for index in 0..<layers {
            hidden = try layer.output(hidden, "text_model.encoder.layers.\(index).", context, graph)
        }
        hidden = try graph.norm(hidden, "text_model.final_layer_norm", layer.norm)
        var marks = tokens
        if let end {
            let isEnd = graph.call("eq.Scalar", ["self": tokens.argument, "other": .int(end)], tokens.shape, "bool")
            marks = graph.convert(isEnd, to: "int64")
        }
        return graph.firstHighest(hidden, marks)
    }

    private func flat(_ value: GraphValue) -> GraphValue {
        graph.call(
            "flatten.using_ints", ["self": value.argument, "start_dim": .int(0), "end_dim": .int(1)], [nil, nil],
            value.dtype)
    }

    /// Rows of length 1.
    private func unit(_ value: GraphValue) -> GraphValue {
        let squares = graph.unsqueeze(graph.sum(graph.multiply(value, value), axis: 1), 1)
        let length = graph.map("sqrt", squares)
        return graph.call("div.Tensor", ["self": value.argument, "other": length.argument], value.shape)
    }
}
