internal import ExportedGraph

/// Both sides of SigLIP (Zhai et al., arXiv 2303.15343): each image has texts of its own, [images, texts, tokens], and
/// the logits [images, texts] are their cosines times `exp(logit_scale)`, plus `logit_bias`. A text is read at its last
/// token, padding or not, and every token sees all others: no mask is read, as the model was trained.
struct SiglipPairs {
    private let graph: GraphBuilder
    private let side: CLIPText

    /// `text`: the configuration of that side. `width`: that of the image side.
    init(_ text: ModelConfiguration, width: Int, _ graph: GraphBuilder) throws(ModelFamilyError) {
        self.graph = graph
        side = try CLIPText(text, isSigmoid: true, graph)
        let shared = try text.count("projection_size", default: side.width)
        guard shared == width else {
            throw text.unsupported("projection_size", "is \(shared), but images have \(width) numbers")
        }
        try text.checkRest(inert: CLIPText.inert.union(ModelConfiguration.inert))
    }

    /// The logits for the normed tokens [images, tokens, width] of the image side, whose layers are like `layer`.
    func logits(image hidden: GraphValue, _ layer: TransformerLayer) throws(ModelFamilyError) -> GraphValue {
        let image = try pooled(hidden, "vision_model.head.", layer)
        let tokens = graph.input("input_ids", "int64", [nil, nil, nil])
        let read = try side.output(graph.flattenedTexts(tokens), mask: nil)
        let texts = try graph.linear(graph.select(read, 1, -1), "text_model.head", hidden.width ?? 0)
        let scale = graph.map("exp", try graph.parameter("logit_scale", [1]))
        let scaled = graph.multiply(graph.cosines(image, texts, like: tokens), scale)
        return graph.add(scaled, try graph.parameter("logit_bias", [1]))
    }

    /// What a trained query reads of the tokens, and a feed-forward part: [images, width].
    private func pooled(
        _ hidden: GraphValue, _ name: String, _ layer: TransformerLayer
    ) throws(ModelFamilyError) -> GraphValue {
        let (width, heads) = (hidden.width ?? 0, layer.attention.heads)
        let weight = try graph.parameter("\(name)attention.in_proj_weight", [3 * width, width])
        let bias = try graph.parameter("\(name)attention.in_proj_bias", [3 * width])
        func part(_ index: Int, of value: GraphValue) -> GraphValue {
            let (start, end) = (index * width, (index + 1) * width)
            let projected = graph.linear(
                value, graph.slice(weight, 0, from: start, to: end), graph.slice(bias, 0, from: start, to: end))
            return graph.splitHeads(projected, heads)
        }
        let probe = graph.expand(
            try graph.parameter("\(name)probe", [1, 1, width]), [graph.length(hidden, 0), .known(1), .known(width)])
        let attended = graph.attention(
            part(0, of: probe), part(1, of: hidden), part(2, of: hidden), mask: nil, scale: layer.attention.scale)
        let sum = try graph.linear(graph.joinHeads(attended), "\(name)attention.out_proj", width)
        let normed = try graph.norm(sum, "\(name)layernorm", layer.norm)
        return graph.select(graph.add(sum, try layer.feedForward.output(normed, name, graph)), 1, 0)
    }
}
