package import WorkerProtocol

/// Finds the first label that the model has no output for, and the first example of which none is scored. Labels come
/// one after another, example by example.
package struct LabelScan {
    private let objective: TaskSettings.Objective
    /// Labels of an example.
    private let width: Int
    /// Classes, or tokens; nil where their number is not known.
    private let outputs: Int?
    /// Whether a causal model predicts them, so that the first one of each example is never scored.
    private let isCausal: Bool
    private var index = 0
    private var isScored = false
    private var wrong: LabelFault?
    private var blank: Int?

    package init(_ objective: TaskSettings.Objective, width: Int, outputs: Int?, isCausal: Bool) {
        self.objective = objective
        self.width = max(1, width)
        self.outputs = outputs
        self.isCausal = isCausal
    }

    package mutating func add(_ label: Int64) {
        let (example, position) = index.quotientAndRemainder(dividingBy: width)
        index += 1
        let isIgnored = label == Int64(LabelFault.ignored)
        if wrong == nil, label < 0 || outputs.map({ label >= $0 }) ?? false, !(isIgnored && objective.labelsTokens) {
            wrong = .outsideHead(label: label, example: example, outputs: outputs, objective)
        }
        if position == 0 { isScored = false }
        if !isIgnored, position > 0 || !isCausal { isScored = true }
        if position == width - 1, !isScored, blank == nil { blank = example }
    }

    /// What is wrong with the labels that came; nil where nothing is.
    package var fault: LabelFault? {
        wrong ?? (objective.labelsTokens ? blank.map { .exampleNotScored($0, isCausal: isCausal) } : nil)
    }
}

/// Finds the first token of choices that the vocabulary does not have, and the first example whose right choice has
/// nothing to score.
package struct ChoiceScan {
    private let choices: Int
    private let length: Int
    private let outputs: Int?
    private let isCausal: Bool
    /// The right choice of each example; nil without labels.
    private let labels: [Int64]?
    private var index = 0
    private var wrong: LabelFault?
    private var isThere: [Bool]

    /// `shape`: [examples, choices, tokens].
    package init(shape: [Int], labels: [Int64]?, outputs: Int?, isCausal: Bool) {
        choices = shape[1]
        length = max(1, shape[2])
        self.outputs = outputs
        self.isCausal = isCausal
        self.labels = labels
        isThere = [Bool](repeating: false, count: shape[0] * shape[1])
    }

    /// Why a label is none of the choices; nil where all are.
    package var labelFault: LabelFault? {
        labels?.firstIndex { $0 < 0 || $0 >= choices }.map { example in
            .noChoice(label: labels?[example] ?? 0, example: example, choices: choices)
        }
    }

    package mutating func add(_ token: Int64) {
        let (choice, position) = index.quotientAndRemainder(dividingBy: length)
        index += 1
        if wrong == nil, token != Int64(LabelFault.ignored), token < 0 || outputs.map({ token >= $0 }) ?? false {
            wrong = .outsideVocabulary(token: token, example: choice / choices, outputs: outputs)
        }
        if token >= 0, !isCausal || position > 0 { isThere[choice] = true }
    }

    /// What is wrong with the labels and tokens that came; nil where nothing is.
    package var fault: LabelFault? {
        if let fault = labelFault ?? wrong { return fault }
        for example in 0..<isThere.count / max(1, choices) {
            let own = isThere[example * choices..<(example + 1) * choices]
            if let labels {
                let right = Int(labels[example])
                if !own[own.startIndex + right] { return .emptyChoice(example: example, choice: right) }
            } else if !own.contains(true) {
                return .emptyChoice(example: example, choice: nil)
            }
        }
        return nil
    }
}
