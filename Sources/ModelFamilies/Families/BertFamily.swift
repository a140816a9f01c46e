internal import ExportedGraph

/// BERT as a classifier of sequences: the pooled first token, then `classifier`; or of tokens: `classifier` alone. A tower that was
/// saved without a pooler, as encoders of sentences are, is pooled by the mean over the tokens that `attention_mask` shows.
enum BertFamily: ModelFamily {
    static let inert = BertTower.inert
    static let spare = ["cls.", "pooler.", "bert.pooler."]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let tower = try BertTower(configuration, prefix: "bert.", padding: 0, countsText: false, draft)
        let architecture = try configuration.architecture([
            "ForSequenceClassification", "ForTokenClassification", "ForMaskedLM", "ForPreTraining", "BertModel",
        ])
        let inputs = tower.inputs(draft, readsFirst: architecture != "ForTokenClassification")
        let hidden = try tower.output(inputs, draft)
        if architecture == "ForTokenClassification" {
            return try draft.linear(hidden, "classifier", configuration.classes(), isHead: true)
        }
        let isBare = architecture == "BertModel" && !draft.holds("\(tower.prefix)pooler.dense.weight")
        let pooled =
            isBare
            ? mean(hidden, over: inputs.mask, draft)
            : draft.apply(
                .tanh,
                try draft.linear(draft.select(hidden, 1, 0), "\(tower.prefix)pooler.dense", tower.width, isHead: true))
        return try draft.linear(pooled, "classifier", configuration.classes(), isHead: true)
    }

    /// Of a text that shows no token the mean is 0, as sentence-transformers has it.
    private static func mean(_ hidden: GraphValue, over mask: GraphValue, _ draft: GraphBuilder) -> GraphValue {
        let seen = draft.convert(
            draft.call("unsqueeze", ["self": mask.argument, "dim": .int(-1)], mask.shape + [1], mask.dtype),
            to: "float32")
        let total = draft.sum(draft.multiply(hidden, seen), axis: 1)
        let shown = draft.sum(seen, axis: 1)
        let count = draft.call("clamp", ["self": shown.argument, "min": .double(1e-9)], shown.shape)
        return draft.call("div.Tensor", ["self": total.argument, "other": count.argument], total.shape)
    }
}
