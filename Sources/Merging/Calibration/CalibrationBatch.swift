internal import ExportedModel
internal import Torch

/// Some examples of one task on their way through two models at once: the task's checkpoint, and the merge that is
/// being calibrated.
final class CalibrationBatch {
    let task: Int
    let checkpoint: ProgramValues
    let calibrated: ProgramValues
    /// Positions of the tokens that are none of the padding, [kept], among all of the batch; nil: all of them, or no
    /// tokens.
    private let tokens: Tensor?
    private let tokenCount: Int

    /// `inputs`: what the graph takes.
    init(_ model: ExportedModel, task: Int, _ inputs: [String: Tensor]) throws {
        self.task = task
        checkpoint = try model.start(inputs)
        calibrated = try model.start(inputs)
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

    /// What the checkpoint has in a slot and the calibrated model lacks there; nil where either holds no tensor.
    func missing(at slot: Int) throws -> Tensor? {
        guard checkpoint.isTensor(at: slot), calibrated.isTensor(at: slot) else { return nil }
        return try checkpoint.tensor(at: slot).subtracting(calibrated.tensor(at: slot))
    }

    /// Runs a range of both models' instructions.
    func run(
        _ model: ExportedModel, _ range: Range<Int>, checkpoint own: [String: Tensor],
        calibrated merged: [String: Tensor]
    ) throws {
        guard !range.isEmpty else { return }
        for (values, parameters) in [(checkpoint, own), (calibrated, merged)] {
            try model.fill(values, for: range, parameters)
            try values.run(range)
        }
    }
}
