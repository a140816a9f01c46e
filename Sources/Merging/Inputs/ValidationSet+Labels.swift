internal import Torch
internal import WorkerProtocol

extension ValidationSet {
    /// Throws `LabelFault` where a label is none of `classes` classes, or where of an example none is scored that could be.
    func checkLabels(classes: Int, _ objective: Objective) throws {
        guard let labels = try labelValues() else { return }
        let each = labels.values.count / max(1, count)
        let wrong = labels.values.firstIndex { $0 != Int64(Objective.ignored) && ($0 < 0 || $0 >= Int64(classes)) }
        if let wrong {
            throw LabelFault.outsideHead(label: labels.values[wrong], example: wrong / max(1, each), classes: classes)
        }
        guard objective.kind.labelsTokens else {
            guard labels.values.contains(where: { $0 != Int64(Objective.ignored) }) else {
                throw LabelFault.nothingScored
            }
            return
        }
        let first = objective.shifts ? 1 : 0
        let blank = (0..<count).first { example in
            (first..<max(first, each)).allSatisfy { labels.values[example * each + $0] == Int64(Objective.ignored) }
        }
        if let blank { throw LabelFault.exampleNotScored(blank, isCausal: objective.shifts) }
    }

    /// One more than the largest label, for the size of a new head. Throws `LabelFault` where no head could have it.
    func classes() throws -> Int {
        let largest = try labelValues()?.values.filter { $0 != Int64(Objective.ignored) }.max()
        guard let largest else { throw LabelFault.nothingScored }
        let classes = Int(min(largest, Self.mostClasses)) + 1
        try checkLabels(classes: classes, Objective(kind: .classification, inputs: []))
        return classes
    }

    /// Throws `LabelFault` where `choices` are not the tokens of some choices for each example, the labelled one among
    /// them; of a causal model's the first token is never predicted.
    static func check(_ choices: Tensor, _ labels: Tensor?, _ count: Int, isCausal: Bool) throws {
        let shape = choices.shape
        guard shape.count == 3, shape[0] == count, shape[1] > 1, shape[2] > 0 else {
            throw LabelFault.choices(shape: shape, expected: [count])
        }
        let tokens = try choices.integers()
        if let wrong = tokens.firstIndex(where: { $0 < 0 && $0 != Int64(Objective.ignored) }) {
            throw LabelFault.outsideHead(
                label: tokens[wrong], example: wrong / (shape[1] * shape[2]), classes: .max)
        }
        func isThere(_ example: Int, _ choice: Int) -> Bool {
            let start = (example * shape[1] + choice) * shape[2]
            return tokens[(start + (isCausal ? 1 : 0))..<start + shape[2]].contains { $0 >= 0 }
        }
        let given = try labels?.integers()
        for example in 0..<count {
            guard let given, given.count == count else {
                guard (0..<shape[1]).contains(where: { isThere(example, $0) }) else {
                    throw LabelFault.emptyChoice(example: example, choice: 0)
                }
                continue
            }
            let right = given[example]
            guard right >= 0, right < Int64(shape[1]) else {
                throw LabelFault.outsideHead(label: right, example: example, classes: shape[1])
            }
            guard isThere(example, Int(right)) else {
                throw LabelFault.emptyChoice(example: example, choice: Int(right))
            }
        }
    }

    private static let mostClasses: Int64 = 1 << 24
}
