internal import Engine
internal import Torch
internal import WorkerProtocol

extension Scorer {
    /// How far a model agrees with a task's own checkpoint, whose logits on the whole set are given: the share of
    /// scored predictions that are the checkpoint's, and KL(checkpoint ‖ model) in nats for each; for a regression
    /// Pearson's correlation with the checkpoint's numbers, and the mean square of the difference.
    ///
    /// Nil `parameters`: the checkpoint itself, which is not run again.
    func agreement(
        _ parameters: ModelWeights?, _ set: ValidationSet, _ indices: [Int], _ objective: Objective,
        with checkpoint: TeacherLogits
    ) throws -> Outcome {
        var agreement = Agreement(objective: objective)
        guard let parameters else {
            let size = batch(of: set)
            for start in stride(from: 0, to: indices.count, by: size) {
                let part = Array(indices[start..<min(start + size, indices.count)])
                let logits = try checkpoint.rows(part)
                let (inputs, labels) = try set.batch(part)
                try agreement.add(logits, checkpoint: logits, labels: objective.labels(labels, for: logits, inputs))
            }
            return try agreement.outcome(examples: indices.count)
        }
        var start = 0
        try forEachBatch(parameters, set, indices, objective) { logits, labels in
            let part = Array(indices[start...].prefix(batch(of: set)))
            try agreement.add(logits, checkpoint: checkpoint.rows(part), labels: labels)
            start += part.count
        }
        return try agreement.outcome(examples: indices.count)
    }

    /// A model's logits on every example of a set, its mixtures among them, in one tensor.
    func logits(_ parameters: ModelWeights, _ set: ValidationSet, _ objective: Objective) throws -> Tensor {
        var pieces: [Tensor] = []
        try forEachBatch(parameters, set, set.all, objective) { logits, _ in pieces.append(logits) }
        return try Tensor.concatenated(pieces)
    }
}
