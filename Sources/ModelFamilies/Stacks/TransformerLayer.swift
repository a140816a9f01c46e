/// One layer of a transformer: what it is made of, with names below the layer's own.
struct TransformerLayer {
    var attention: SelfAttention
    /// Another attention in place of `attention`.
    var latent: LatentAttention?
    var disentangled: DisentangledAttention?
    var feedForward: FeedForward
    /// Experts in place of the feed-forward part.
    var experts: Experts?
    var norm: Norm
    /// Norms before each part and of each part's output, by name; nil where there is none.
    var attentionNorm: String? = "input_layernorm"
    var attentionOutputNorm: String?
    var feedForwardNorm: String? = "post_attention_layernorm"
    var feedForwardOutputNorm: String?
    /// Both parts read the layer's input, and their outputs are added to it. Without a norm of its own the feed-forward
    /// part reads what attention does.
    var isParallel = false
    /// Norms follow the sums, as in the first Transformer; `attentionNorm` and `feedForwardNorm` are their names.
    var normsSums = false
    /// What is carried past each part is its normed input, as in some BLOOM models.
    var carriesNormed = false
    /// Trained factors [width] of each part's output, by name (DINOv2).
    var attentionScale: String?
    var feedForwardScale: String?
    /// Factor of each part's output (Granite).
    var residualScale: Double?
    /// Tokens that each sees, itself the last, or in an encoder how far it sees to both sides; nil for all.
    var window: Int?
    /// The angles of the stack's `rotaries` that turn queries and keys; nil for none.
    var rotary: Int? = 0

    init(attention: SelfAttention, feedForward: FeedForward, norm: Norm) {
        self.attention = attention
        self.feedForward = feedForward
        self.norm = norm
    }

    /// The layer's output [batch, tokens, width]; `name` is the beginning of its names.
    func output(
        _ hidden: GraphValue, _ name: String, _ context: LayerContext, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        func normed(_ value: GraphValue, _ part: String?) throws(ModelFamilyError) -> GraphValue {
            guard let part else { return value }
            return try graph.norm(value, name + part, norm)
        }
        func scaled(_ value: GraphValue, _ part: String?) throws(ModelFamilyError) -> GraphValue {
            if let part { return graph.multiply(value, try graph.parameter(name + part, [value.width ?? 0])) }
            return residualScale.map { graph.multiply(value, by: .double($0)) } ?? value
        }
        let read = normsSums ? hidden : try normed(hidden, attentionNorm)
        let attended = try scaled(
            normed(attend(read, name, context, graph), attentionOutputNorm), attentionScale)
        var sum = graph.add(carriesNormed ? read : hidden, attended)
        if normsSums { sum = try normed(sum, attentionNorm) }
        let second =
            isParallel
            ? (feedForwardNorm == nil ? read : try normed(hidden, feedForwardNorm))
            : normsSums ? sum : try normed(sum, feedForwardNorm)
        var changed: GraphValue
        if let experts {
            changed = try experts.output(second, name, graph)
        } else {
            changed = try feedForward.output(second, name, graph)
        }
        changed = try scaled(normed(changed, feedForwardOutputNorm), feedForwardScale)
        let result = graph.add(carriesNormed ? second : sum, changed)
        return normsSums ? try normed(result, feedForwardNorm) : result
    }

    private func attend(
        _ hidden: GraphValue, _ name: String, _ context: LayerContext, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        if let latent { return try latent.output(hidden, name, rotation: context.rotation, mask: context.mask, graph) }
        if let disentangled {
            return try disentangled.output(hidden, name, context.distances, mask: context.mask, graph)
        }
        return try attention.output(
            hidden, name, rotation: context.rotation, mask: context.mask, queryScale: context.queryScale, graph)
    }
}

/// What all layers of a stack share.
struct LayerContext {
    var mask: GraphValue?
    var rotation: Rotary.Rotation?
    /// [tokens, 1].
    var queryScale: GraphValue?
    var distances: DisentangledAttention.Distances?
}
