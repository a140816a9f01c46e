internal import ExportedGraph

/// Writes the graph of a decoder (Radford et al., 2018): embeddings, layers of causal attention and feed-forward parts,
/// and the output layer, or a head for sequences or tokens.
struct DecoderStack {
    let options: DecoderOptions
    private let graph: GraphBuilder
    private let prefix: String

    /// Keys that say nothing about the logits: rates of dropout, lengths, and what only training reads.
    static let inert: Set = [
        "activation_dropout", "attention_dropout", "attention_probs_dropout_prob", "attn_pdrop", "dropout",
        "embd_pdrop",
        "emb_pdrop", "embedding_dropout", "embed_dropout", "hidden_dropout", "hidden_dropout_prob", "layerdrop",
        "max_position_embeddings", "max_sequence_length", "original_max_position_embeddings", "output_router_logits",
        "resid_dropout", "resid_pdrop", "residual_dropout", "rope_theta", "router_aux_loss_coef", "router_jitter_noise",
    ]
    static let spare = ["rotary_emb.inv_freq", "lm_head.weight"]

    init(_ options: DecoderOptions, _ graph: GraphBuilder) {
        self.options = options
        self.graph = graph
        prefix = graph.prefix(of: options.embeddingName + ".weight", among: options.prefixes)
    }

    /// Logits [batch, tokens, vocabulary], or those of the head that `architectures` names.
    func logits(_ configuration: ModelConfiguration) throws(ModelFamilyError) -> GraphValue {
        let head = try DecoderHead(configuration)
        let tokens = graph.input("input_ids", "int64", [nil, nil])
        let padding = graph.paddingInput(isPaddedAtEnd: countsPadding)
        let output = options.outputNames.first { graph.holds($0 + ".weight") } ?? options.outputNames[0]
        let isShared = options.isTied && head == .language
        let embedding = try graph.parameter(
            "\(prefix)\(options.embeddingName).weight",
            [options.vocabulary, options.embeddingWidth ?? options.width],
            aliases: isShared ? options.outputNames.map { $0 + ".weight" } : [])
        var hidden = try embedded(tokens, padding, embedding)
        hidden = try run(hidden, tokens, padding)
        if let norm = options.finalNorm { hidden = try graph.norm(hidden, prefix + options.finalNormName, norm) }
        graph.embed(hidden, mask: padding, tokens: tokens)
        if let width = options.embeddingWidth {
            hidden = try graph.linear(hidden, prefix + options.projections.out, width, hasBias: false)
        }
        switch head {
        case .sequence:
            return try graph.classified(
                hidden, tokens, configuration, vocabulary: options.vocabulary, name: options.sequenceHead)
        case .tokens:
            return try graph.linear(hidden, options.tokenHead, configuration.classes(), isHead: true)
        case .language: break
        }
        // A base saved without a head has no output layer of its own.
        let weight =
            isShared
            ? embedding
            : try graph.parameter(
                "\(output).weight", embedding.shape.compactMap(\.self), isHead: prefix != options.prefixes[0])
        let bias =
            options.hasOutputBias ? try graph.parameter("\(output).bias", [options.vocabulary]) : nil
        var logits = graph.linear(hidden, weight, bias)
        if let scale = options.logitScale { logits = graph.multiply(logits, by: .double(scale)) }
        guard let cap = options.logitCap else { return logits }
        return graph.multiply(graph.map("tanh", graph.divide(logits, by: .double(cap))), by: .double(cap))
    }

    /// Whether padding before the text changes the positions of the text.
    private var countsPadding: Bool {
        switch options.positions {
        case .none, .alibi, .learned(_, _, _, countsText: true): options.queryGrowth != nil
        case .learned, .sinusoidal: true
        }
    }

    private func embedded(
        _ tokens: GraphValue, _ padding: GraphValue, _ table: GraphValue
    ) throws(ModelFamilyError) -> GraphValue {
        var hidden = graph.embedding(tokens, table, padding: options.padding)
        if let scale = options.embeddingScale { hidden = graph.multiply(hidden, by: .double(scale)) }
        if options.embeddingWidth != nil {
            hidden = try graph.linear(hidden, prefix + options.projections.in, options.width, hasBias: false)
        }
        let length = graph.length(tokens, 1)
        switch options.positions {
        case .none, .alibi: break
        case .learned(let name, let rows, let offset, let countsText):
            let table = try graph.parameter("\(prefix)\(name).weight", [rows, options.width])
            var numbers = countsText ? graph.add(graph.textNumbers(padding), .int(-1)) : graph.range(length)
            if offset > 0 { numbers = graph.add(numbers, .int(offset)) }
            hidden = graph.add(hidden, graph.embedding(numbers, table))
        case .sinusoidal(let offset):
            hidden = graph.add(hidden, graph.sinusoids(graph.add(graph.range(length), .int(offset)), options.width))
        }
        guard let norm = options.embeddingNorm else { return hidden }
        return try graph.norm(hidden, prefix + norm.name, norm.norm)
    }

    private func run(
        _ embedded: GraphValue, _ tokens: GraphValue, _ padding: GraphValue
    ) throws(ModelFamilyError) -> GraphValue {
        let length = graph.length(tokens, 1)
        let rotations = options.rotaries.map { $0.rotation(length, graph) }
        let growth = options.queryGrowth.map { graph.queryGrowth(length, beta: $0.beta, context: $0.context) }
        var masks: [Int?: GraphValue] = [:]
        var hidden = embedded
        for index in 0..<options.layers {
            var layer = options.layer
            options.vary(index, &layer)
            let mask = masks[layer.window] ?? mask(tokens, padding, window: layer.window)
            masks[layer.window] = mask
            let context = LayerContext(mask: mask, rotation: layer.rotary.map { rotations[$0] }, queryScale: growth)
            hidden = try layer.output(hidden, "\(prefix)\(options.layersName).\(index).", context, graph)
        }
        return hidden
    }

    private func mask(_ tokens: GraphValue, _ padding: GraphValue, window: Int?) -> GraphValue {
        let seen = graph.causalMask(tokens, padding: padding, window: window)
        guard case .alibi(let isFalcon, let maximum) = options.positions else { return seen }
        let heads = options.layer.attention.heads
        var bias = graph.linearBias(padding, heads: heads, maximum: maximum, isRounded: isFalcon)
        if isFalcon { bias = graph.multiply(bias, by: .double(options.layer.attention.scale)) }
        return graph.masked(bias, by: seen, [nil, heads, nil, nil])
    }
}

/// What a decoder's last layer is read by.
enum DecoderHead {
    case language, sequence, tokens

    init(_ configuration: ModelConfiguration) throws(ModelFamilyError) {
        switch try configuration.architecture([
            "ForCausalLM", "LMHeadModel", "ForSequenceClassification", "ForTokenClassification", "DoubleHeadsModel",
            "ForConditionalGeneration", "Model",
        ]) {
        case "DoubleHeadsModel":
            throw configuration.unsupported("architectures", "has a model with two heads, which is not built here")
        case "ForSequenceClassification": self = .sequence
        case "ForTokenClassification": self = .tokens
        default: self = .language
        }
    }
}
