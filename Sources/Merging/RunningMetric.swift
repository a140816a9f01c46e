internal import Torch

/// A task's metric over batches.
struct RunningMetric {
    private let objective: Objective
    private var correct = 0
    private var scored = 0
    private var outputs: [Double] = []
    private var targets: [Double] = []

    init(_ objective: Objective) { self.objective = objective }

    /// The share of scored predictions that are right, or Pearson's correlation; 0 where nothing was scored.
    var value: Double {
        objective.kind == .regression
            ? Scorer.pearson(outputs, targets) : Double(correct) / Double(max(1, scored))
    }

    mutating func add(_ logits: Tensor, _ labels: Tensor) throws {
        let (predictions, truth) = try objective.aligned(logits, labels)
        guard objective.kind != .regression else {
            outputs += try predictions.doubles()
            targets += try truth.doubles()
            return
        }
        for (guess, wanted) in zip(try predictions.argmax().integers(), try truth.integers())
        where wanted != Int64(Objective.ignored) {
            scored += 1
            if guess == wanted { correct += 1 }
        }
    }
}
