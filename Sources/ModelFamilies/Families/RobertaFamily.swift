internal import ExportedGraph

/// RoBERTa, XLM-RoBERTa and CamemBERT as classifiers of sequences: the first token through the two layers of `classifier`; or of
/// tokens: each through one.
enum RobertaFamily: ModelFamily {
    static let inert = BertTower.inert
    static let spare = ["lm_head.", "pooler.", "roberta.pooler."]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let tower = try BertTower(configuration, prefix: "roberta.", padding: 1, countsText: true, draft)
        let architecture = try configuration.architecture([
            "ForSequenceClassification", "ForTokenClassification", "ForMaskedLM", "RobertaModel", "CamembertModel",
        ])
        let labelsTokens = architecture == "ForTokenClassification"
        let hidden = try tower.output(tower.inputs(draft, readsFirst: !labelsTokens), draft)
        if labelsTokens {
            return try draft.linear(hidden, "classifier", configuration.classes(), isHead: true)
        }
        let first = try draft.linear(draft.select(hidden, 1, 0), "classifier.dense", tower.width, isHead: true)
        return try draft.linear(
            draft.apply(.tanh, first), "classifier.out_proj", configuration.classes(), isHead: true)
    }
}
