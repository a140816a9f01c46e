/// Labels that do not fit what the model gives.
enum LabelFault: Error, Hashable {
    /// A label that the head has no output for.
    case outsideHead(label: Int64, classes: Int)
    /// Another number of labels than predictions.
    case count(labels: [Int], expected: [Int])
    /// Every label is the one that is not scored.
    case nothingScored
    /// No example has labels, and of none a prediction counts.
    case allPadding
    /// The graph's first axis is not the examples, so that no prediction belongs to one of them.
    case otherAxis
    /// Predictions that are numbers, which have no entropy to lower.
    case noEntropy
}

extension LabelFault: CustomStringConvertible {
    var description: String {
        switch self {
        case .outsideHead(let label, let classes):
            "a label is \(label), but the head has \(classes) classes; labels count from 0"
        case .count(let labels, let expected):
            "labels of shape \(labels) don't fit the model's predictions, \(expected) for the same examples; give one label "
                + "for each prediction"
        case .noEntropy: "adamerging lowers the entropy of predicted classes, and a regression has none; use supermerge"
        case .allPadding: "the mask leaves no prediction to compare with the checkpoint's; mark real tokens by 1"
        case .otherAxis:
            "the graph's logits don't have the examples as their first axis, and without labels each is compared with the "
                + "checkpoint's; add labels"
        case .nothingScored: "every label is \(Objective.ignored), which is not scored; label some examples"
        }
    }
}
