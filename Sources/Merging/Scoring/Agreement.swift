internal import Tasks
internal import Torch
internal import WorkerProtocol

/// Predictions of a model beside those of a checkpoint, counted batch after batch.
struct Agreement {
    let objective: Objective
    private var metric: RunningMetric
    private var divergence = 0.0
    private var scored = 0

    init(objective: Objective) {
        self.objective = objective
        metric = RunningMetric(objective)
    }

    mutating func add(_ logits: Tensor, checkpoint: Tensor, labels: Tensor) throws {
        let count = try objective.scored(logits, labels)
        let loss = try objective.distillation(logits, teacher: checkpoint, labels: labels, temperature: 1)
        divergence += try loss.item() * Double(count)
        scored += count
        try metric.add(logits, labels, checkpoint: checkpoint)
    }

    func outcome(examples: Int) throws -> Scorer.Outcome {
        guard scored > 0 else { throw LabelFault.allPadding }
        let score = Score(
            examples: examples, loss: divergence / Double(scored), metric: Score.agreement, value: metric.value)
        return Scorer.Outcome(score: score, predictions: metric.predictions, metric: metric.metric)
    }
}
