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
    /// The mean of that over the classes that occur among labels or predictions.
    case macroF1 = "f1-macro"
    /// Matthews' correlation of labels and predictions, for any number of classes (Gorodkin, 2004).
    case matthews
    /// Pearson's correlation of labels and outputs.
    case pearson
    /// exp of the mean loss in nats of a scored token; lower is better.
    case perplexity
}

extension Metric {
    /// What a task of this objective is judged by where `task.yaml` does not say.
    package init(of objective: TaskSettings.Objective) {
        self =
            switch objective {
            case .classification: .accuracy
            case .tokenClassification, .languageModeling, .sequenceToSequence: .tokenAccuracy
            case .multipleChoice: .rankAccuracy
            case .regression: .pearson
            }
    }

    /// What a task of this objective can be judged by, its usual one first.
    package static func fitting(_ objective: TaskSettings.Objective) -> [Metric] {
        switch objective {
        case .classification: [.accuracy, .f1, .macroF1, .matthews]
        case .tokenClassification: [.tokenAccuracy, .f1, .macroF1, .matthews]
        case .languageModeling, .sequenceToSequence: [.tokenAccuracy, .perplexity]
        case .multipleChoice: [.rankAccuracy]
        case .regression: [.pearson]
        }
    }

    /// Whether it is the share of predictions that are right, so that a paired test over them says something about it.
    package var countsRight: Bool { self == .accuracy || self == .tokenAccuracy || self == .rankAccuracy }
}
