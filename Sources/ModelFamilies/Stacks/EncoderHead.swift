internal import ExportedGraph

/// What an encoder's last layer is read by.
enum EncoderHead {
    /// Classes of a text, of each token, of each choice, or for each token whether an answer starts or ends there.
    case sequence, tokens, choices, answer

    /// By the class in `architectures`. Of a base that was saved without a head, or with the one of its pretraining,
    /// tasks are taken for classifiers of texts.
    init(_ configuration: ModelConfiguration) throws(ModelFamilyError) {
        switch try configuration.architecture([
            "ForSequenceClassification", "ForTokenClassification", "ForMultipleChoice", "ForQuestionAnswering",
            "ForMaskedLM", "ForPreTraining", "ForCausalLM", "Model",
        ]) {
        case "ForTokenClassification": self = .tokens
        case "ForMultipleChoice": self = .choices
        case "ForQuestionAnswering": self = .answer
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
    /// then follow the layers `sequence` and `classifier`. Tokens have `classifier` behind the layers `tokens`.
    func logits(
        _ head: EncoderHead, _ configuration: ModelConfiguration, _ graph: GraphBuilder, sequence: [HeadLayer],
        classifier: String = "classifier", tokens: [HeadLayer] = [], tokenClassifier: String = "classifier",
        pooling: ((GraphValue, Inputs) throws(ModelFamilyError) -> GraphValue)? = nil
    ) throws(ModelFamilyError) -> GraphValue {
        let inputs = inputs(readsFirst: head.readsFirst, hasChoices: head == .choices)
        let hidden = try output(inputs)
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
            return try graph.linear(through(tokens, hidden), "qa_outputs", 2, isHead: true)
        case .sequence, .choices:
            let pooled = try pooling?(hidden, inputs) ?? graph.select(hidden, 1, 0)
            let vector = try through(sequence, pooled)
            guard head == .choices, let choices = inputs.choices else {
                return try graph.linear(vector, classifier, configuration.classes(), isHead: true)
            }
            return graph.reshape(try graph.linear(vector, classifier, 1, isHead: true), [choices.batch, choices.count])
        }
    }
}

extension GraphBuilder {
    /// The mean over the tokens that a mask [batch, tokens] shows. Of a text that shows none it is 0, as
    /// sentence-transformers has it.
    func mean(_ hidden: GraphValue, over mask: GraphValue) -> GraphValue {
        let seen = convert(unsqueeze(mask, 2), to: "float32")
        let total = sum(multiply(hidden, seen), axis: 1)
        let shown = sum(seen, axis: 1)
        let count = call("clamp", ["self": shown.argument, "min": .double(1e-9)], shown.shape)
        return call("div.Tensor", ["self": total.argument, "other": count.argument], total.shape)
    }
}
