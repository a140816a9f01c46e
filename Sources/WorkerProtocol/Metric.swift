/// What a task is judged by, by the field's names.
package enum Metric: String, Codable, CaseIterable, Sendable {
    /// The share of examples whose most likely class is the label.
    case accuracy
    /// The share of scored tokens that are predicted right.
    case tokenAccuracy = "token-accuracy"
    /// The share of examples whose right choice is the most likely one.
    case rankAccuracy = "rank-accuracy"
    /// 2 TP / (2 TP + FP + FN) of class 1.
    case f1
    /// F1 of whole spans of tags (Tjong Kim Sang and De Meulder, CoNLL 2003; `f1_score` of seqeval).
    case spanF1 = "f1-span"
    /// F1 over the flags of all classes together.
    case microF1 = "f1-micro"
    /// The mean of that over the classes that occur among labels or predictions; of several labels an example over all
    /// classes.
    case macroF1 = "f1-macro"
    /// Matthews' correlation of labels and predictions, for any number of classes (Gorodkin, 2004).
    case matthews
    /// Pearson's correlation of labels and outputs.
    case pearson
    /// Spearman's correlation of labels and outputs: Pearson's of their ranks, equal numbers sharing their mean rank.
    case spearman
    /// exp of the mean loss in nats of a scored token; lower is better.
    case perplexity
    /// The share of texts that are the reference, both normalised as for SQuAD (Rajpurkar et al., arXiv 1606.05250).
    case exactMatch = "exact-match"
    /// The mean F1 of a text's words and its reference's, normalised as for SQuAD.
    case squadF1 = "f1-squad"
    /// The mean F of the longest common subsequence of words (Lin, ACL Workshop 2004; `rougeL` of rouge_score).
    case rougeL = "rouge-l"
    /// The share of texts that the reference occurs in, both normalised as for SQuAD.
    case contains
}

extension Metric {
    /// What a task of this objective is judged by where `task.yaml` does not say.
    package init(of objective: TaskSettings.Objective) {
        self =
            switch objective {
            case .classification: .accuracy
            case .multiLabel: .microF1
            case .tokenClassification, .languageModeling, .maskedLanguageModeling, .sequenceToSequence: .tokenAccuracy
            case .generation: .exactMatch
            case .tokenSpans: .spanF1
            case .questionAnswering: .squadF1
            case .multipleChoice: .rankAccuracy
            case .regression: .pearson
            case .similarity: .spearman
            }
    }

    /// What a task of this objective can be judged by, its usual one first.
    package static func fitting(_ objective: TaskSettings.Objective) -> [Metric] {
        switch objective {
        case .classification: [.accuracy, .f1, .macroF1, .matthews]
        case .multiLabel: [.microF1, .macroF1]
        case .tokenClassification: [.tokenAccuracy, .f1, .macroF1, .matthews, .spanF1]
        case .tokenSpans: [.spanF1, .tokenAccuracy]
        case .languageModeling, .sequenceToSequence: [.tokenAccuracy, .perplexity] + ofTexts
        case .maskedLanguageModeling: [.tokenAccuracy, .perplexity]
        case .generation: ofTexts
        case .multipleChoice: [.rankAccuracy]
        case .questionAnswering: [.squadF1, .exactMatch, .tokenAccuracy]
        case .regression: [.pearson, .spearman]
        case .similarity: [.spearman, .pearson]
        }
    }

    /// Those of texts, which the model has to write, or to find in another text.
    package static let ofTexts: [Metric] = [.exactMatch, .squadF1, .rougeL, .contains]

    /// Whether texts are compared, and not classes or numbers.
    package var isOfTexts: Bool { Self.ofTexts.contains(self) }

    /// Whether it is the share of predictions that are right, so that a paired test over them says something about it.
    package var countsRight: Bool {
        switch self {
        case .accuracy, .tokenAccuracy, .rankAccuracy, .exactMatch, .contains: true
        default: false
        }
    }
}
