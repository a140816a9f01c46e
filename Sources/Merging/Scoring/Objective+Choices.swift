internal import Engine
internal import ExportedGraph
internal import ExportedModel
internal import Tasks
internal import Torch
internal import WorkerProtocol

extension Objective {
    /// What the model says of some examples, given the graph's output for `rows`: the graph's own logits, for pairs of
    /// texts the cosines of their embeddings, or for a multiple choice each choice's log likelihood, [examples,
    /// choices], −∞ for a choice that has no token to score.
    ///
    /// Ranked by these are the choices of T0 (Sanh et al., arXiv 2110.08207), or with normalised length those of T-Few
    /// (Liu et al., arXiv 2205.05638), whose L_LN is the cross-entropy over them. `inputs` hold the tokens of the
    /// choices under `ValidationSet.choices`; what has no axis of choices is the same for all.
    func logits(from output: Tensor, _ inputs: [String: Tensor]) throws -> Tensor {
        guard kind != .similarity else { return try Self.cosines(output) }
        guard let choices = choices(inputs) else { return output }
        let (examples, count, length) = (choices.shape[0], choices.shape[1], choices.shape[2])
        let targets = try choices.reshaped([examples * count, length]).to(.int64)
        return try likelihoods(output, targets).reshaped([examples, count])
    }

    /// `logits` of a model that runs without gradients, for several batches, one batch after another. The graph is
    /// given at most `most` rows at once.
    func forEachLogits(
        _ model: SegmentedModel, _ batches: [[String: Tensor]], _ weights: ModelWeights, most: Int,
        _ body: (_ batch: Int, _ logits: Tensor) throws -> Void
    ) throws {
        var parts: [[String: Tensor]] = []
        var owners: [(batch: Int, start: Int)] = []
        for (batch, inputs) in batches.enumerated() {
            let rows = try self.rows(of: inputs, for: model.model.signature)
            guard let choices = choices(inputs) else {
                parts.append(rows)
                owners.append((batch, 0))
                continue
            }
            let all = choices.shape[0] * choices.shape[1]
            for start in stride(from: 0, to: all, by: most) {
                let part = min(most, all - start)
                parts.append(try rows.mapValues { try $0.rows(from: start, count: part) })
                owners.append((batch, start))
            }
        }
        let passes = parts.map { ForwardPass(inputs: $0, own: weights.own, output: output) }
        var scores: [Tensor] = []
        try model.forward(passes, weights.trunk) { part, output in
            let (batch, start) = owners[part]
            guard let choices = choices(batches[batch]) else {
                return try body(batch, logits(from: output, batches[batch]))
            }
            let (examples, count) = (choices.shape[0], choices.shape[1])
            let targets = try choices.reshaped([examples * count, choices.shape[2]]).to(.int64)
            scores.append(try likelihoods(output, targets.rows(from: start, count: output.shape[0])))
            guard start + output.shape[0] == examples * count else { return }
            let all = try Tensor.concatenated(scores).reshaped([examples, count])
            scores = []
            try body(batch, all)
        }
    }

    /// The tokens of the choices, where there are any.
    private func choices(_ inputs: [String: Tensor]) -> Tensor? {
        kind == .multipleChoice ? inputs[ValidationSet.choices] : nil
    }

    /// What the graph is given for some examples: the examples, or one row for each of their choices or texts.
    func rows(of inputs: [String: Tensor], for signature: GraphSignature) throws -> [String: Tensor] {
        guard kind != .similarity else { return try Self.texts(ofPairs: inputs) }
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
