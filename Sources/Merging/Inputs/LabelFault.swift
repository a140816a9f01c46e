/// Labels that do not fit what the model gives.
enum LabelFault: Error, Hashable {
    /// A label that the model has no output for; examples count from 0.
    case outsideHead(label: Int64, example: Int, classes: Int)
    /// Another number of labels than predictions.
    case count(labels: [Int], expected: [Int])
    /// Every label is the one that is not scored.
    case nothingScored
    /// Every label of this example is; a causal model's first label has no token before it.
    case exampleNotScored(Int, isCausal: Bool)
    /// Tokens of choices in another shape than the model's predictions, or not three axes of them.
    case choices(shape: [Int], expected: [Int])
    /// An input with another number of choices.
    case choicesDiffer(input: String, [Int], choices: Int)
    /// The choice that is right has no token to score.
    case emptyChoice(example: Int, choice: Int)
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
        case .outsideHead(let label, let example, let classes):
            classes == .max
                ? "example \(example) (the first is 0) has the token \(label); tokens count from 0, and \(Objective.ignored) is one that is not "
                    + "scored"
                : "a label of example \(example) (the first is 0) is \(label), but the head has \(classes) classes; labels count "
                    + "from 0"
        case .count(let labels, let expected):
            "labels of shape \(labels) don't fit the model's predictions, \(expected) for the same examples; give one label "
                + "for each prediction"
        case .noEntropy: "adamerging lowers the entropy of predicted classes, and a regression has none; use supermerge"
        case .allPadding: "the mask leaves no prediction to compare with the checkpoint's; mark real tokens by 1"
        case .otherAxis:
            "the graph's logits don't have the examples as their first axis, and without labels each is compared with the "
                + "checkpoint's; add labels"
        case .exampleNotScored(let example, let isCausal):
            "every label of example \(example) (the first is 0) is \(Objective.ignored), which is not scored\(isCausal ? ", or its first token's" : "")"
                + "; label one of its tokens, or leave the example out"
        case .choices(let shape, let expected):
            "choices of shape \(shape) don't fit \(expected); give the tokens of two choices or more for each example, "
                + "[examples, choices, tokens], as many as the model predicts"
        case .choicesDiffer(let input, let shape, let choices):
            "input \(input) is \(shape), but there are \(choices) choices; give it that many on its second axis, or no such axis"
        case .emptyChoice(let example, let choice):
            "choice \(choice) of example \(example) (the first is 0) has no token to score, and it should be the right one; give its tokens"
        case .nothingScored: "every label is \(Objective.ignored), which is not scored; label some examples"
        }
    }
}
