internal import ExportedGraph

/// The side for texts of CLIP (Radford et al., arXiv 2103.00020) and SigLIP (Zhai et al., arXiv 2303.15343).
struct CLIPText {
    let width: Int
    private let layer: TransformerLayer
    private let layers: Int
    private let vocabulary: Int
    private let positions: Int
    private let graph: GraphBuilder

    static let inert = DecoderStack.inert.union(VisionStack.inert)

    /// `text`: the configuration of that side.
    init(_ text: ModelConfiguration, isSigmoid: Bool, _ graph: GraphBuilder) throws(ModelFamilyError) {
        self.graph = graph
        width = try text.count("hidden_size", default: isSigmoid ? 768 : 512)
        layers = try text.count("num_hidden_layers", default: 12)
        vocabulary = try text.count("vocab_size", default: isSigmoid ? 32000 : 49408)
        positions = try text.count("max_position_embeddings", default: isSigmoid ? 64 : 77)
        let heads = try text.count("num_attention_heads", default: isSigmoid ? 12 : 8)
        var attention = SelfAttention(
            heads: heads, width: try text.headWidth(width, heads: heads, key: "num_attention_heads"))
        attention.names = AttentionNames("self_attn.", "q_proj", "k_proj", "v_proj", "out_proj")
        (attention.hasBias, attention.hasOutputBias) = (true, true)
        var feedForward = FeedForward(
            form: .plain, inner: try text.count("intermediate_size", default: isSigmoid ? 3072 : 2048),
            activation: try text.activation("hidden_act", default: isSigmoid ? "gelu_pytorch_tanh" : "quick_gelu"),
            hasBias: true)
        (feedForward.up, feedForward.down) = ("mlp.fc1", "mlp.fc2")
        var layer = TransformerLayer(
            attention: attention, feedForward: feedForward,
            norm: .layer(try text.number("layer_norm_eps", default: isSigmoid ? 1e-6 : 1e-5)))
        (layer.attentionNorm, layer.feedForwardNorm) = ("layer_norm1", "layer_norm2")
        layer.rotary = nil
        self.layer = layer
    }

    /// The vectors [texts, tokens, width] of tokens [texts, tokens], behind the last norm.
    func output(_ tokens: GraphValue, mask: GraphValue?) throws(ModelFamilyError) -> GraphValue {
        let words = try graph.parameter("text_model.embeddings.token_embedding.weight", [vocabulary, width])
        let table = try graph.parameter("text_model.embeddings.position_embedding.weight", [positions, width])
        let places = graph.embedding(graph.range(graph.length(tokens, 1)), table)
        var hidden = graph.add(graph.embedding(tokens, words), places)
        var context = LayerContext()
        context.mask = mask
        for index in 0..<layers {
            hidden = try layer.output(hidden, "text_model.encoder.layers.\(index).", context, graph)
        }
        return try graph.norm(hidden, "text_model.final_layer_norm", layer.norm)
    }
}

extension GraphBuilder {
    /// The cosines [images, texts] of images [images, width] and the texts of each, [images · texts, width]. `tokens`
    /// [images, texts, tokens] tells how many texts an image has.
    func cosines(_ image: GraphValue, _ texts: GraphValue, like tokens: GraphValue) -> GraphValue {
        let each = reshape(unit(texts), [length(tokens, 0), length(tokens, 1), .known(texts.width ?? 0)])
        return select(matmul(each, unsqueeze(unit(image), 2)), 2, 0)
    }

    /// [images, texts, tokens] as [images · texts, tokens].
    func flattenedTexts(_ value: GraphValue) -> GraphValue {
        call(
            "flatten.using_ints", ["self": value.argument, "start_dim": .int(0), "end_dim": .int(1)], [nil, nil],
            value.dtype)
    }

    /// Vectors of length 1 over the last axis; the zero vector stays.
    func unit(_ value: GraphValue) -> GraphValue {
        let axis = value.shape.count - 1
        let squares = unsqueeze(sum(multiply(value, value), axis: axis), axis)
        let above = call("clamp", ["self": squares.argument, "min": .double(1e-24)], squares.shape)
        return call("div.Tensor", ["self": value.argument, "other": map("sqrt", above).argument], value.shape)
    }
}
