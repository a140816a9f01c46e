internal import ExportedModel
internal import Torch

/// Some examples of one task on their way through two models at once: the task's checkpoint, and the merge that is
/// being calibrated.
final class CalibrationBatch {
    let task: Int
    let checkpoint: ModelRun
    let calibrated: ModelRun
    /// Positions of the tokens that are none of the padding, [kept], among all of the batch; nil: all of them, or no
    /// tokens.
    private let tokens: Tensor?
    private let tokenCount: Int

    /// `inputs`: what the graph takes. `file`: where large values wait; nil: in memory.
    init(_ model: ExportedModel, task: Int, _ inputs: [String: Tensor], file: SpilledValues?) throws {
        self.task = task
        checkpoint = try ModelRun(model, inputs, file: file)
        calibrated = try ModelRun(model, inputs, file: file)
        let mask = inputs["attention_mask"]
        guard let mask, mask.shape.count == 2 else { (tokens, tokenCount) = (nil, -1); return }
        let kept = try mask.floats().enumerated().filter { $1 != 0 }.map { Int64($0.offset) }
        tokenCount = mask.elementCount
        tokens = kept.count == tokenCount ? nil : try Tensor(kept, shape: [kept.count])
    }

    /// A layer's values as a matrix in float32, [tokens, width], without the padding.
    func rows(_ values: Tensor, width: Int) throws -> Tensor {
        let rows = try values.to(.float32).reshaped([-1, width])
        guard let tokens, rows.shape[0] == tokenCount else { return rows }
        return try rows.rows(at: tokens)
    }

    /// How many rows `rows` gives for values of these elements.
    func rowCount(elements: Int, width: Int) -> Int {
        let rows = elements / max(1, width)
        guard let tokens, rows == tokenCount else { return rows }
        return tokens.elementCount
    }

    /// What the checkpoint has in a slot and the calibrated model lacks there; nil where either holds no tensor.
    func missing(at slot: Int) throws -> Tensor? {
        guard checkpoint.isTensor(at: slot), calibrated.isTensor(at: slot) else { return nil }
        return try checkpoint.tensor(at: slot).subtracting(calibrated.tensor(at: slot))
    }

    /// Puts the large values of both models aside.
    func rest() throws {
        try checkpoint.rest()
        try calibrated.rest()
    }
}
