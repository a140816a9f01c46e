internal import ExportedGraph

/// What an encoder's last layer is read by.
enum EncoderHead {
    /// Classes of a text, of each token, of each choice, the tokens at which an answer starts and ends, or the tokens
    /// that were masked.
    case sequence, tokens, choices, answer, masked

    /// By the class of the tasks, or by the one in `architectures`. Tasks of a base that was saved without a head, or
    /// with the one of its pretraining, are taken for classifiers of texts where they do not say what they are.
    init(_ configuration: ModelConfiguration) throws(ModelFamilyError) {
        switch try configuration.architecture([
            "ForSequenceClassification", "ForTokenClassification", "ForMultipleChoice", "ForQuestionAnswering",
            "ForMaskedLM", "ForPreTraining", "ForCausalLM", "Model",
        ]) {
        case "ForTokenClassification": self = .tokens
        case "ForMultipleChoice": self = .choices
        case "ForQuestionAnswering": self = .answer
        case "ForMaskedLM" where configuration.head == .maskedLanguage: self = .masked
        default: self = .sequence
        }
    }

    var readsFirst: Bool { self == .sequence || self == .choices }
}

/// A layer of a head and what follows it.
struct HeadLayer {
    var name: String
    var activation: Activation?
    var hasBias = true
    var norm: (name: String, norm: Norm)?
}

extension EncoderStack {
    /// The graph from tokens to the logits of a head: `pooling` makes one vector of a text, by default its first token,
    /// then follow the layers `sequence` and `classifier`. Tokens have `classifier` behind the layers `tokens`, and so
    /// has `answer`.
    func logits(
        _ head: EncoderHead, _ configuration: ModelConfiguration, _ graph: GraphBuilder, sequence: [HeadLayer],
        classifier: String = "classifier", tokens: [HeadLayer] = [], tokenClassifier: String = "classifier",
        answer: String = "qa_outputs", masked: MaskedHead? = nil,
        pooling: ((GraphValue, Inputs) throws(ModelFamilyError) -> GraphValue)? = nil
    ) throws(ModelFamilyError) -> GraphValue {
        if head == .masked {
            guard let masked else {
                throw configuration.unsupported(
                    "architectures", "of the tasks ends in ForMaskedLM, which is not built here")
            }
            return try self.tokens(masked, graph)
        }
        let inputs = inputs(readsFirst: head.readsFirst, hasChoices: head == .choices)
        let hidden = try output(inputs)
        if inputs.choices == nil { graph.embed(hidden, mask: inputs.mask, tokens: inputs.tokens) }
        func through(_ layers: [HeadLayer], _ value: GraphValue) throws(ModelFamilyError) -> GraphValue {
            var value = value
            for layer in layers {
                value = try graph.linear(value, layer.name, value.width ?? 0, hasBias: layer.hasBias, isHead: true)
                if let activation = layer.activation { value = graph.apply(activation, value) }
                if let norm = layer.norm { value = try graph.norm(value, norm.name, norm.norm, isHead: true) }
            }
            return value
        }
        switch head {
        case .tokens:
            return try graph.linear(
                through(tokens, hidden), tokenClassifier, configuration.classes(), isHead: true)
        case .answer:
            // [batch, 2, tokens]: the classes of start and end are the text's tokens.
            let scores = try graph.linear(through(tokens, hidden), answer, 2, isHead: true)
            return graph.transpose(scores, 1, 2)
        case .sequence, .choices, .masked:
            let pooled = try pooling?(hidden, inputs) ?? graph.select(hidden, 1, 0)
            let vector = try through(sequence, pooled)
            guard head == .choices, let choices = inputs.choices else {
                return try graph.linear(vector, classifier, configuration.classes(), isHead: true)
            }
            return graph.reshape(try graph.linear(vector, classifier, 1, isHead: true), [choices.batch, choices.count])
        }
    }
}
