internal import ExportedGraph

/// How an encoder predicts the tokens that were masked (Devlin et al., arXiv 1810.04805): layers, then a product with a
/// table [vocabulary, width], which usually is the embedding.
struct MaskedHead {
    var layers: [HeadLayer]
    /// The module of the table, whose `.weight` is the embedding's where both are tied.
    var decoder: String
    /// The bias [vocabulary] by all its names; empty where there is none.
    var bias: [String]
    var isTied: Bool

    /// A layer as wide as the embedding with an activation and a norm, then the table.
    init(
        _ dense: String, _ activation: Activation, norm: (name: String, norm: Norm), hasBias: Bool = true,
        decoder: String, bias: [String], _ configuration: ModelConfiguration
    ) throws(ModelFamilyError) {
        layers = [HeadLayer(name: dense, activation: activation, hasBias: hasBias, norm: norm)]
        self.decoder = decoder
        isTied = try configuration.flag("tie_word_embeddings", default: true)
        // The table's own is added; only a tie makes the other one do anything.
        self.bias = isTied ? bias : Array(bias.suffix(1))
    }

    /// The head of BERT under `cls.predictions`.
    static func bert(
        _ configuration: ModelConfiguration, _ norm: Norm, normName: String = "LayerNorm"
    ) throws(ModelFamilyError) -> MaskedHead {
        let name = "cls.predictions"
        return try MaskedHead(
            "\(name).transform.dense", configuration.activation("hidden_act", default: "gelu"),
            norm: ("\(name).transform.\(normName)", norm), decoder: "\(name).decoder",
            bias: ["\(name).bias", "\(name).decoder.bias"], configuration)
    }

    /// The head of RoBERTa under `lm_head`.
    static func roberta(_ configuration: ModelConfiguration, _ norm: Norm) throws(ModelFamilyError) -> MaskedHead {
        try MaskedHead(
            "lm_head.dense", .gelu, norm: ("lm_head.layer_norm", norm), decoder: "lm_head.decoder",
            bias: ["lm_head.bias", "lm_head.decoder.bias"], configuration)
    }
}

extension EncoderStack {
    /// Scores [batch, tokens, vocabulary] of every token at every position.
    func tokens(_ head: MaskedHead, _ graph: GraphBuilder) throws(ModelFamilyError) -> GraphValue {
        let decoder = "\(head.decoder).weight"
        let shape = [options.vocabulary, options.embeddingWidth]
        let table = try graph.parameter(
            "\(prefix)\(options.embeddingName).weight", shape, aliases: head.isTied ? [decoder] : [])
        let inputs = inputs(readsFirst: false)
        var hidden = try output(inputs)
        for layer in head.layers {
            hidden = try graph.linear(
                hidden, layer.name, options.embeddingWidth, hasBias: layer.hasBias, isHead: true)
            if let activation = layer.activation { hidden = graph.apply(activation, hidden) }
            if let norm = layer.norm { hidden = try graph.norm(hidden, norm.name, norm.norm, isHead: true) }
        }
        let weight = head.isTied ? table : try graph.parameter(decoder, shape, isHead: true)
        let bias = try head.bias.first.map { name throws(ModelFamilyError) in
            try graph.parameter(
                name, [options.vocabulary], aliases: Array(head.bias.dropFirst()), isHead: true)
        }
        return graph.linear(hidden, weight, bias)
    }
}
