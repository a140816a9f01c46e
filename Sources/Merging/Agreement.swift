internal import Torch
internal import WorkerProtocol

/// Predictions of a model beside those of a checkpoint, counted batch after batch.
struct Agreement {
    let objective: Objective
    private var divergence = 0.0
    private var scored = 0
    private var isSame: [Bool] = []
    private var outputs: [Double] = []
    private var wanted: [Double] = []

    init(objective: Objective) { self.objective = objective }

    mutating func add(_ logits: Tensor, checkpoint: Tensor, labels: Tensor) throws {
        let count = try objective.scored(logits, labels)
        let loss = try objective.distillation(logits, teacher: checkpoint, labels: labels, temperature: 1)
        divergence += try loss.item() * Double(count)
        scored += count
        let (predictions, truth) = try objective.aligned(logits, labels)
        let (own, _) = try objective.aligned(checkpoint, labels)
        if objective.kind == .regression {
            outputs += try predictions.doubles()
            wanted += try own.doubles()
            return
        }
        let guesses = try predictions.argmax().integers()
        let answers = try own.argmax().integers()
        for (place, label) in try truth.integers().enumerated() where label != Int64(Objective.ignored) {
            isSame.append(guesses[place] == answers[place])
        }
    }

    func outcome(examples: Int) throws -> Scorer.Outcome {
        guard scored > 0 else { throw LabelFault.allPadding }
        let value =
            objective.kind == .regression
            ? Scorer.pearson(outputs, wanted) : Double(isSame.count { $0 }) / Double(scored)
        let score = Score(
            examples: examples, loss: divergence / Double(scored), metric: Score.agreement, value: value)
        return Scorer.Outcome(score: score, correct: isSame)
    }
}
