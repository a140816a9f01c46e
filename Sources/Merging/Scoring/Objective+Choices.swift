internal import Engine
internal import ExportedGraph
internal import ExportedModel
internal import Tasks
internal import Torch
internal import WorkerProtocol

extension Objective {
    /// Rows that the graph is given at once where no gradients are recorded.
    private static let mostRows = 64

    /// What the model says of some examples, given the graph's output for `rows`: the graph's own logits, or for a
    /// multiple choice each choice's log likelihood, [examples, choices], −∞ for a choice that has no token to score.
    ///
    /// Ranked by these are the choices of T0 (Sanh et al., arXiv 2110.08207), or with normalised length those of T-Few
    /// (Liu et al., arXiv 2205.05638), whose L_LN is the cross-entropy over them. `inputs` hold the tokens of the
    /// choices under `ValidationSet.choices`; what has no axis of choices is the same for all.
    func logits(from output: Tensor, _ inputs: [String: Tensor]) throws -> Tensor {
        guard let choices = choices(inputs) else { return output }
        let (examples, count, length) = (choices.shape[0], choices.shape[1], choices.shape[2])
        let targets = try choices.reshaped([examples * count, length]).to(.int64)
        return try likelihoods(output, targets).reshaped([examples, count])
    }

    /// `logits` of a model that runs without gradients, for several batches: the rows that the graph is given at once
    /// are limited.
    func logits(
        _ model: SegmentedModel, _ batches: [[String: Tensor]], _ weights: ModelWeights
    ) throws -> [Tensor] {
        let rows = try batches.map { try self.rows(of: $0, for: model.model.signature) }
        var parts: [[String: Tensor]] = []
        var counts: [Int] = []
        for (inputs, rows) in zip(batches, rows) {
            guard let choices = choices(inputs) else {
                parts.append(rows)
                counts.append(1)
                continue
            }
            let all = choices.shape[0] * choices.shape[1]
            let starts = Array(stride(from: 0, to: all, by: Self.mostRows))
            for start in starts {
                let part = min(Self.mostRows, all - start)
                parts.append(try rows.mapValues { try $0.rows(from: start, count: part) })
            }
            counts.append(starts.count)
        }
        var outputs = try model.forward(parts.map { ForwardPass(inputs: $0, own: weights.own) }, weights.trunk)[...]
        return try zip(batches, counts).map { inputs, count in
            let own = Array(outputs.prefix(count))
            outputs = outputs.dropFirst(count)
            guard let choices = choices(inputs) else { return own[0] }
            let targets = try choices.reshaped([choices.shape[0] * choices.shape[1], choices.shape[2]]).to(.int64)
            var start = 0
            let scores = try own.map { output in
                let rows = output.shape[0]
                defer { start += rows }
                return try likelihoods(output, targets.rows(from: start, count: rows))
            }
            return try Tensor.concatenated(scores).reshaped([choices.shape[0], choices.shape[1]])
        }
    }

    /// The tokens of the choices, where there are any.
    private func choices(_ inputs: [String: Tensor]) -> Tensor? {
        kind == .multipleChoice ? inputs[ValidationSet.choices] : nil
    }

    /// What the graph is given for some examples: the examples, or one row for each of their choices.
    func rows(of inputs: [String: Tensor], for signature: GraphSignature) throws -> [String: Tensor] {
        guard let choices = choices(inputs) else { return inputs }
        let (examples, count) = (choices.shape[0], choices.shape[1])
        let owners = (0..<examples * count).map { Int64($0 / count) }
        var rows: [String: Tensor] = [:]
        for slot in signature.inputs {
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
