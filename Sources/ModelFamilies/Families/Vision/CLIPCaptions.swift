internal import ExportedGraph

/// Both sides of CLIP (Radford et al., arXiv 2103.00020): each image has texts of its own, [images, texts, tokens], and
/// the logits [images, texts] are their cosines times `exp(logit_scale)`. With a text for each class that is its
/// zero-shot classification.
struct CLIPCaptions {
    private let graph: GraphBuilder
    private let side: CLIPText
    /// The token at which a text is read; nil: where its number is the highest.
    private let end: Int?
    /// Width of what both sides are projected to.
    private let shared: Int

    /// `text`: the configuration of that side.
    init(_ text: ModelConfiguration, width shared: Int, _ graph: GraphBuilder) throws(ModelFamilyError) {
        self.graph = graph
        self.shared = shared
        side = try CLIPText(text, isSigmoid: false, graph)
        // 2 stands in the configurations of models whose text ends in another token, the last of their vocabulary.
        let end = try text.integer("eos_token_id", default: 49407)
        self.end = end == 2 ? nil : end
        try text.checkRest(inert: CLIPText.inert.union(ModelConfiguration.inert))
    }

    /// The logits for the tokens [images, tokens, width] of the image side, of which the first is read through `norm`.
    func logits(image hidden: GraphValue, _ norm: (name: String, Norm)) throws(ModelFamilyError) -> GraphValue {
        let first = try graph.norm(graph.select(hidden, 1, 0), norm.name, norm.1)
        let image = try graph.linear(first, "visual_projection", shared, hasBias: false)
        let tokens = graph.input("input_ids", "int64", [nil, nil, nil])
        let mask = graph.input("attention_mask", "int64", [nil, nil, nil], rule: InputRule(isPaddedAtEnd: true))
        let ends = try read(graph.flattenedTexts(tokens), graph.flattenedTexts(mask))
        let texts = try graph.linear(ends, "text_projection", shared, hasBias: false)
        let scale = graph.map("exp", try graph.parameter("logit_scale", []))
        return graph.multiply(graph.cosines(image, texts, like: tokens), scale)
    }

    /// The vector [texts, width] at the end of each text.
    private func read(_ tokens: GraphValue, _ mask: GraphValue) throws(ModelFamilyError) -> GraphValue {
        let hidden = try side.output(tokens, mask: graph.causalMask(tokens, padding: mask))
        var marks = tokens
        if let end {
            let isEnd = graph.call("eq.Scalar", ["self": tokens.argument, "other": .int(end)], tokens.shape, "bool")
            marks = graph.convert(isEnd, to: "int64")
        }
        return graph.firstHighest(hidden, marks)
    }
}
