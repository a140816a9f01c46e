internal import ExportedGraph

/// A model that reads texts in both directions: what `EncoderStack` builds of it.
struct EncoderOptions {
    /// A table of positions.
    struct Positions {
        var name = "embeddings.position_embeddings"
        var rows: Int
        /// Positions number the tokens that are not this one, from the one after its number, as RoBERTa's do; nil: all
        /// from 0.
        var countsFrom: Int?
    }

    var vocabulary: Int
    var width: Int
    var layers: Int
    var layer: TransformerLayer
    /// Changes the layer of an index.
    var vary: (Int, inout TransformerLayer) -> Void = { _, _ in }
    /// The name of the layer of an index.
    var layerName: (Int) -> String = { "encoder.layer.\($0)." }
    var rotaries: [Rotary] = []
    var positions: Positions?
    /// Kinds of tokens; 0 where there is no table of them.
    var types = 0
    /// The row of the embedding without a gradient.
    var padding: Int?
    /// Width of the embeddings, and the layer that widens them.
    var embeddingWidth: Int
    var projection: (name: String, hasBias: Bool)?
    /// Whether the norm of the embeddings follows the projection.
    var normsProjected = false
    var embeddingNorm: (name: String, norm: Norm)?
    var finalNorm: (name: String, norm: Norm)?
    /// Padding has embeddings of 0, and sees nothing (DeBERTa).
    var clearsPadding = false
    /// A bias of the scores by distance, in buckets (MPNet).
    var relativeBias: (name: String, buckets: Int)?
    /// The table of DeBERTa's distances.
    var distances: (span: Int, buckets: Int, maximum: Int, norm: Norm?)?
    /// A convolution beside the first layer (DeBERTa-v2).
    var convolution: (width: Int, groups: Int, activation: Activation)?

    var prefixes: [String]
    var embeddingName = "embeddings.word_embeddings"
    var typesName = "embeddings.token_type_embeddings"

    init(vocabulary: Int, width: Int, layers: Int, layer: TransformerLayer, prefix: String) {
        self.vocabulary = vocabulary
        self.width = width
        self.layers = layers
        self.layer = layer
        embeddingWidth = width
        prefixes = [prefix, ""]
    }
}

/// Writes the graph of an encoder (Devlin et al., arXiv 1810.04805) from tokens to the last layer's output.
struct EncoderStack {
    let options: EncoderOptions
    let prefix: String
    private let graph: GraphBuilder

    /// Keys that say nothing about the logits.
    static let inert = DecoderStack.inert.union([
        "classifier_dropout_prob", "directionality", "embedding_dropout_prob", "pooler_fc_size",
        "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type",
        "tie_word_embeddings",
    ])

    init(_ options: EncoderOptions, _ graph: GraphBuilder) {
        self.options = options
        self.graph = graph
        prefix = graph.prefix(of: options.embeddingName + ".weight", among: options.prefixes)
    }

    /// Tokens, the mask of padding, and, where there is more than one kind, the tokens' kinds: 0 where they are not
    /// given, as in transformers. `choices`: the axis of choices, which the stack takes as further texts.
    struct Inputs {
        var tokens: GraphValue
        var mask: GraphValue
        var kinds: GraphValue?
        var choices: (batch: AxisLength, count: AxisLength)?
    }

    /// `readsFirst`: whether the prediction is made of the first token.
    func inputs(readsFirst: Bool, hasChoices: Bool = false) -> Inputs {
        let shape: [Int?] = hasChoices ? [nil, nil, nil] : [nil, nil]
        let tokens = graph.input("input_ids", "int64", shape)
        let isPaddedAtEnd = readsFirst || options.positions.map { $0.countsFrom == nil } ?? false
        let mask = graph.input("attention_mask", "int64", shape, rule: InputRule(isPaddedAtEnd: isPaddedAtEnd))
        let kinds =
            options.types > 1
            ? graph.input("token_type_ids", "int64", shape, rule: InputRule(zerosLike: tokens.name)) : nil
        guard hasChoices else { return Inputs(tokens: tokens, mask: mask, kinds: kinds) }
        func flat(_ value: GraphValue) -> GraphValue {
            graph.call(
                "flatten.using_ints", ["self": value.argument, "start_dim": .int(0), "end_dim": .int(1)], [nil, nil],
                value.dtype)
        }
        return Inputs(
            tokens: flat(tokens), mask: flat(mask), kinds: kinds.map(flat),
            choices: (graph.length(tokens, 0), graph.length(tokens, 1)))
    }

    /// The last layer's output [batch, tokens, width].
    func output(_ inputs: Inputs) throws(ModelFamilyError) -> GraphValue {
        let embedded = try embedded(inputs)
        let length = graph.length(inputs.tokens, 1)
        let rotations = options.rotaries.map { $0.rotation(length, graph) }
        var context = LayerContext()
        if let distances = options.distances {
            var table = try graph.parameter(
                "\(prefix)encoder.rel_embeddings.weight", [2 * distances.span, options.width])
            if let norm = distances.norm { table = try graph.norm(table, "\(prefix)encoder.LayerNorm", norm) }
            context.distances = graph.distances(
                length, table, span: distances.span, buckets: distances.buckets, maximum: distances.maximum)
        }
        let bias = try options.relativeBias.map { name, buckets throws(ModelFamilyError) in
            try graph.distanceBias(
                length, prefix + name, buckets: buckets, maximum: 128, heads: options.layer.attention.heads,
                isTwoSided: true)
        }
        var seen = graph.paddingMask(inputs.mask)
        if options.clearsPadding {
            seen = graph.call(
                "__and__.Tensor", ["self": seen.argument, "other": graph.transpose(seen, 2, 3).argument],
                [seen.shape[0], 1, length.value, length.value], "bool")
        }
        var masks: [Int?: GraphValue] = [:]
        var hidden = embedded
        for index in 0..<options.layers {
            var layer = options.layer
            options.vary(index, &layer)
            let mask = masks[layer.window] ?? mask(seen, length, bias: bias, window: layer.window)
            masks[layer.window] = mask
            context.mask = mask
            context.rotation = layer.rotary.flatMap { rotations.indices.contains($0) ? rotations[$0] : nil }
            hidden = try layer.output(hidden, prefix + options.layerName(index), context, graph)
            if index == 0 { hidden = try convolved(embedded, hidden, inputs.mask) }
        }
        guard let norm = options.finalNorm else { return hidden }
        return try graph.norm(hidden, prefix + norm.name, norm.norm)
    }

    private func embedded(_ inputs: Inputs) throws(ModelFamilyError) -> GraphValue {
        let width = options.embeddingWidth
        let words = try graph.parameter("\(prefix)\(options.embeddingName).weight", [options.vocabulary, width])
        var hidden = graph.embedding(inputs.tokens, words, padding: options.padding)
        if options.types > 0 {
            let kinds = try graph.parameter("\(prefix)\(options.typesName).weight", [options.types, width])
            hidden = graph.add(hidden, inputs.kinds.map { graph.embedding($0, kinds) } ?? graph.select(kinds, 0, 0))
        }
        if let positions = options.positions {
            let table = try graph.parameter("\(prefix)\(positions.name).weight", [positions.rows, width])
            let numbers =
                positions.countsFrom.map { graph.textPositions(inputs.tokens, padding: $0) }
                ?? graph.range(graph.length(inputs.tokens, 1))
            hidden = graph.add(hidden, graph.embedding(numbers, table, padding: positions.countsFrom))
        }
        func normed() throws(ModelFamilyError) {
            if let norm = options.embeddingNorm { hidden = try graph.norm(hidden, prefix + norm.name, norm.norm) }
        }
        if !options.normsProjected { try normed() }
        if let projection = options.projection {
            hidden = try graph.linear(hidden, prefix + projection.name, options.width, hasBias: projection.hasBias)
        }
        if options.normsProjected { try normed() }
        guard options.clearsPadding else { return hidden }
        return cleared(hidden, inputs.mask)
    }

    private func cleared(_ hidden: GraphValue, _ mask: GraphValue) -> GraphValue {
        graph.multiply(hidden, graph.convert(graph.unsqueeze(mask, 2), to: "float32"))
    }

    /// True values [batch, 1, 1 or tokens, tokens] where a token is seen, or with a bias numbers.
    private func mask(_ seen: GraphValue, _ length: AxisLength, bias: GraphValue?, window: Int?) -> GraphValue {
        var mask = seen
        if let window {
            let positions = graph.range(length)
            let distance = graph.call(
                "sub.Tensor",
                ["self": graph.unsqueeze(positions, 1).argument, "other": graph.unsqueeze(positions, 0).argument],
                [length.value, length.value], "int64")
            let isNear = graph.call(
                "le.Scalar", ["self": graph.map("abs", distance).argument, "other": .int(window)], distance.shape,
                "bool")
            mask = graph.call(
                "__and__.Tensor", ["self": isNear.argument, "other": seen.argument],
                [seen.shape[0], 1, length.value, length.value], "bool")
        }
        guard let bias else { return mask }
        return graph.masked(bias, by: mask, [nil, options.layer.attention.heads, nil, nil])
    }

    private func convolved(
        _ embedded: GraphValue, _ hidden: GraphValue, _ mask: GraphValue
    ) throws(ModelFamilyError) -> GraphValue {
        guard let convolution = options.convolution else { return hidden }
        let (width, name) = (options.width, "\(prefix)encoder.conv.")
        let weight = try graph.parameter("\(name)conv.weight", [width, width / convolution.groups, convolution.width])
        let bias = try graph.parameter("\(name)conv.bias", [width])
        let moved = graph.call(
            "conv1d",
            [
                "input": graph.transpose(embedded, 1, 2).argument, "weight": weight.argument, "bias": bias.argument,
                "padding": .list([.int((convolution.width - 1) / 2)]), "groups": .int(convolution.groups),
            ], [nil, width, nil])
        let local = cleared(graph.transpose(moved, 1, 2), mask)
        let sum = graph.add(hidden, graph.apply(convolution.activation, local))
        return cleared(try graph.norm(sum, "\(name)LayerNorm", options.layer.norm), mask)
    }
}
