internal import ExportedModel
internal import Tasks
internal import Torch
internal import WorkerProtocol

extension Objective {
    /// Rows that the graph is given at once where no gradients are recorded.
    private static let mostRows = 64

    /// What the model says of some examples: the graph's own logits, or for a multiple choice each choice's log likelihood,
    /// [examples, choices], −∞ for a choice that has no token to score.
    ///
    /// Ranked by these are the choices of T0 (Sanh et al., arXiv 2110.08207), or with normalised length those of T-Few (Liu et
    /// al., arXiv 2205.05638), whose L_LN is the cross-entropy over them. `inputs` hold the tokens of the choices under
    /// `ValidationSet.choices`; what has no axis of choices is the same for all.
    func logits(
        _ model: ExportedModel, _ inputs: [String: Tensor], _ parameters: [String: Tensor], isRecorded: Bool = false
    ) throws -> Tensor {
        guard kind == .multipleChoice, let choices = inputs[ValidationSet.choices] else {
            return try model.forward(inputs: inputs, parameters: parameters)
        }
        let (examples, count, length) = (choices.shape[0], choices.shape[1], choices.shape[2])
        let rows = try rows(model, inputs)
        let rowCount = examples * count
        let targets = try choices.reshaped([rowCount, length]).to(.int64)
        let step = isRecorded ? max(1, rowCount) : Self.mostRows
        let scores = try stride(from: 0, to: rowCount, by: step).map { start in
            let part = min(step, rowCount - start)
            let logits = try model.forward(
                inputs: rows.mapValues { try $0.rows(from: start, count: part) }, parameters: parameters)
            return try likelihoods(logits, targets.rows(from: start, count: part))
        }
        return try Tensor.concatenated(scores).reshaped([examples, count])
    }

    /// What the graph takes for a batch's inputs: themselves, and of a multiple choice a row for each choice.
    func rows(_ model: ExportedModel, _ inputs: [String: Tensor]) throws -> [String: Tensor] {
        guard kind == .multipleChoice, let choices = inputs[ValidationSet.choices] else { return inputs }
        let (examples, count) = (choices.shape[0], choices.shape[1])
        let owners = (0..<examples * count).map { Int64($0 / count) }
        var rows: [String: Tensor] = [:]
        for slot in model.signature.inputs {
            guard let given = inputs[slot.name] else { continue }
            if given.shape.count > slot.shape.count {
                guard given.shape[1] == count else {
                    throw LabelFault.choicesDiffer(input: slot.name, given.shape, choices: count)
                }
                rows[slot.name] = try given.reshaped([owners.count] + given.shape.dropFirst(2))
            } else {
                rows[slot.name] = try given.rows(at: Tensor(owners, shape: [owners.count]))
            }
        }
        return rows
    }

    /// log p(tokens) of each row, [rows], or its mean over the tokens; −∞ where none is scored.
    private func likelihoods(_ logits: Tensor, _ targets: Tensor) throws -> Tensor {
        guard logits.shape.count == 3, Array(logits.shape.dropLast()) == targets.shape else {
            throw LabelFault.choices(shape: targets.shape, expected: Array(logits.shape.dropLast()))
        }
        let rows = targets.shape[0]
        let (outputs, tokens) = try shifts ? Self.shifted(logits.to(.float32), targets) : (logits.to(.float32), targets)
        let length = tokens.shape[1]
        let scored = try tokens.integers().map { $0 != Int64(Self.ignored) }
        let counts = (0..<rows).map { row in scored[(row * length)..<(row + 1) * length].count { $0 } }
        let losses = try outputs.reshaped([-1, outputs.shape[2]])
            .crossEntropy(tokens.reshaped([-1]), reduction: .none, ignoring: Self.ignored).reshaped([rows, length])
            .sum(over: [1])
        let factors = counts.map { normalizesLength ? -1 / Float(max(1, $0)) : -1 }
        return try losses.multiplied(by: Tensor(factors, shape: [rows]))
            .adding(Tensor(counts.map { $0 == 0 ? -Float.infinity : 0 }, shape: [rows]))
    }

    /// Outputs and the labels of the next place: the last output and the first label have none.
    static func shifted(_ logits: Tensor, _ labels: Tensor) throws -> (Tensor, Tensor) {
        let length = logits.shape[1]
        return (
            try logits.columns(from: 0, count: length - 1), try labels.columns(from: 1, count: length - 1)
        )
    }
}
