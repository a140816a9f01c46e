internal import Torch

/// A task's metric over batches.
struct RunningMetric {
    private let objective: Objective
    private var correct = 0
    private var scored = 0
    private var outputs: [Double] = []
    private var targets: [Double] = []

    init(_ objective: Objective) { self.objective = objective }

    /// The share of scored predictions that are right, or the checkpoint's, or Pearson's correlation; 0 where nothing was
    /// scored.
    var value: Double {
        objective.kind == .regression
            ? Scorer.pearson(outputs, targets) : Double(correct) / Double(max(1, scored))
    }

    /// `checkpoint`: logits of the task's own checkpoint, whose predictions are the truth where `labels` are stand-ins.
    mutating func add(_ logits: Tensor, _ labels: Tensor, checkpoint: Tensor?) throws {
        let (predictions, truth) = try objective.aligned(logits, labels)
        let own = try checkpoint.map { try objective.aligned($0, labels).0 }
        guard objective.kind != .regression else {
            outputs += try predictions.doubles()
            targets += try (own ?? truth).doubles()
            return
        }
        let labels = try truth.integers()
        let wanted = try own?.argmax().integers() ?? labels
        for (place, guess) in try predictions.argmax().integers().enumerated()
        where labels[place] != Int64(Objective.ignored) {
            scored += 1
            if guess == wanted[place] { correct += 1 }
        }
    }
}
