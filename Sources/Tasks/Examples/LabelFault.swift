package import WorkerProtocol

/// Labels that do not fit what the model gives. Examples count from 0.
package enum LabelFault: Error, Hashable {
    /// A label that the model has no output for. `outputs`: nil where their number is not known.
    case outsideHead(label: Int64, example: Int, outputs: Int?, TaskSettings.Objective)
    /// Every label of this example is the one that is not scored; a causal model's first label has no token before it.
    case exampleNotScored(Int, isCausal: Bool)
    /// Tokens of a choice that the vocabulary does not have.
    case outsideVocabulary(token: Int64, example: Int, outputs: Int?)
    /// A label that is none of the choices.
    case noChoice(label: Int64, example: Int, choices: Int)
    /// No choice has a token to score, or the labelled one has none.
    case emptyChoice(example: Int, choice: Int?)
    /// Another number of labels than predictions.
    case count(labels: [Int], expected: [Int])
    /// Tokens of choices in another shape than the model's predictions, or not three axes of them.
    case choices(shape: [Int], expected: [Int])
    /// An input with another number of choices.
    case choicesDiffer(input: String, [Int], choices: Int)
    /// No example has labels, and of none a prediction counts.
    case allPadding
    /// The graph's first axis is not the examples, so that no prediction belongs to one of them.
    case otherAxis
    /// Predictions that are numbers, which have no entropy to lower.
    case noEntropy
    /// An input without the axis of a pair's texts.
    case noPairs([Int])
    /// Outputs that are no embeddings of texts.
    case noEmbeddings([Int])
    /// There are no labels to count classes by.
    case noClasses
    /// A causal model is to go on with this example's text, and every token of it is scored.
    case noPrompt(example: Int)
    /// Texts are to be written with a graph whose output has no score of each token at each place.
    case noTexts(shape: [Int])
    /// Answers are to be found with a graph that does not score each token as their first and last one.
    case noPositions(shape: [Int])
    /// Words are to be compared, and the set has but positions of tokens.
    case noAnswerTexts(Metric)

    /// Labels with this value are not scored.
    package static let ignored = -100

    /// Short and stable, for programs.
    package var code: String {
        switch self {
        case .outsideHead, .outsideVocabulary, .noChoice: "labels-outside-head"
        case .exampleNotScored, .emptyChoice, .count, .choices, .choicesDiffer, .noClasses, .noPrompt, .noPairs,
            .noAnswerTexts:
            "wrong-labels"
        case .allPadding, .otherAxis, .noEntropy, .noTexts, .noEmbeddings, .noPositions: "wrong-objective"
        }
    }

    /// As what admission refuses, of a file of this name.
    package func refusal(in file: String) -> AdmissionFault {
        .refused(code: code, message: "\(file): \(self)")
    }
}

extension LabelFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .outsideHead(let label, let example, let outputs, let objective):
            "`labels` of example \(example) (the first is 0) hold \(label), but the "
                + "\(objective.predictsTokens ? "vocabulary" : "head") knows "
                + "\(outputs.map { "0 to \($0 - 1)" } ?? "0 and more")"
                + "\(objective.labelsTokens ? " (\(Self.ignored) is not scored)" : ""); number them as "
                + "\(objective.predictsTokens ? "the tokenizer" : "the head") does"
        case .exampleNotScored(let example, let isCausal):
            "every one of the `labels` of example \(example) (the first is 0) is \(Self.ignored), which is not scored"
                + "\(isCausal ? ", or its first token's, which nothing predicts" : ""); label it, or leave it out"
        case .outsideVocabulary(let token, let example, let outputs):
            "`choices` of example \(example) (the first is 0) hold \(token), but the vocabulary is "
                + "\(outputs.map { "0 to \($0 - 1)" } ?? "0 and more"); number the tokens as the tokenizer does, "
                + "\(Self.ignored) where none is scored"
        case .noChoice(let label, let example, let choices):
            "the label of example \(example) (the first is 0) is \(label), but there are \(choices) choices, 0 to "
                + "\(choices - 1); number them as `choices` does"
        case .emptyChoice(let example, let choice):
            "of example \(example) (the first is 0) "
                + "\(choice.map { "the right choice, \($0), has not" } ?? "no choice has") a token that is scored; "
                + "give its tokens in `choices`"
        case .count(let labels, let expected):
            "labels of shape \(labels) don't fit the model's predictions, \(expected) for the same examples; give one "
                + "label for each prediction"
        case .choices(let shape, let expected):
            "choices of shape \(shape) don't fit \(expected); give the tokens of two choices or more for each example, "
                + "[examples, choices, tokens], as many as the model predicts"
        case .choicesDiffer(let input, let shape, let choices):
            "input \(input) is \(shape), but there are \(choices) choices; give it that many on its second axis, or no "
                + "such axis"
        case .noPairs(let shape):
            "an input is \(shape), but a pair is two texts; give the tokens of both, [examples, 2, tokens]"
        case .noEmbeddings(let shape):
            "the graph gives \(shape), but a similarity needs an embedding of each text, [texts, width]; give "
                + "it another base"
        case .noEntropy: "adamerging lowers the entropy of predicted classes, and numbers have none; use supermerge"
        case .allPadding: "the mask leaves no prediction to compare with the checkpoint's; mark real tokens by 1"
        case .otherAxis:
            "the graph's logits don't have the examples as their first axis, and without labels each is compared with "
                + "the checkpoint's; add labels"
        case .noPrompt(let example):
            "example \(example) (the first is 0) has no prompt that the model could go on with, because its "
                + "first token is scored; label the prompt's tokens \(Self.ignored), or choose metric token-accuracy"
        case .noTexts(let shape):
            "the graph gives out \(shape), and a model that writes gives [examples, tokens, words]; choose another "
                + "objective"
        case .noPositions(let shape):
            "the graph gives out \(shape), and answers are found by scores of each token as the first and the last "
                + "one, [examples, 2, tokens]; give the base a head …ForQuestionAnswering, or set another objective"
        case .noAnswerTexts(let metric):
            "metric \(metric.rawValue) compares words, and the examples hold but the numbers of tokens; give them as a "
                + "table with the columns question, context and answers, or set `metric: token-accuracy` in task.yaml"
        case .noClasses: "every label is \(Self.ignored), which is not scored; label some examples"
        }
    }
}
