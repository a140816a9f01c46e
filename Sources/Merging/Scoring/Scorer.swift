internal import Engine
internal import ExportedModel
internal import Foundation
internal import Tasks
internal import Torch
internal import WorkerProtocol

/// Runs a model over examples without recording for gradients.
struct Scorer {
    let model: SegmentedModel
    let autocast: Bool
    /// Counts the forward passes.
    var passes: PassCounter?
    /// Examples of one forward pass, at most.
    static let batch = 64
    /// Logits of one forward pass where it has several examples: a language model's are many.
    private static let mostLogits = 1 << 24

    /// Examples of one forward pass whose outputs have so many numbers each.
    static func batch(logits: Int) -> Int { max(1, min(batch, mostLogits / max(1, logits))) }

    /// Examples of one forward pass over a set. The same whatever the memory, since sums depend on it.
    func batch(of set: ValidationSet) -> Int {
        let shape = model.model.type(of: model.model.outputSlot)?.shape ?? []
        return Self.batch(logits: shape.dropFirst().reduce(1) { $0 * ($1 ?? set.tokens) })
    }

    init(model: SegmentedModel, autocast: Bool, passes: PassCounter? = nil) {
        self.model = model
        self.autocast = autocast
        self.passes = passes
    }

    /// A model in one segment.
    init(model: ExportedModel, autocast: Bool) { self.init(model: SegmentedModel(model), autocast: autocast) }

    /// What a model did on a task's examples.
    struct Outcome {
        let score: Score
        let predictions: Predictions
        /// What the predictions are judged by: the score's metric, or what an agreement is measured in.
        let metric: Metric
        /// Where texts are compared, each of them.
        var texts: [JudgedText] = []
    }

    /// Logits of the given examples, a batch at a time, with their labels or what stands in for them.
    func forEachBatch(
        _ parameters: ModelWeights, _ set: ValidationSet, _ indices: [Int], _ objective: Objective,
        _ body: (_ logits: Tensor, _ labels: Tensor) throws -> Void
    ) throws {
        let size = batch(of: set)
        for first in stride(from: 0, to: indices.count, by: size * model.group) {
            let starts = stride(from: first, to: min(first + size * model.group, indices.count), by: size)
            let batches = try starts.map { start in
                try set.batch(Array(indices[start..<min(start + size, indices.count)]))
            }
            passes?.add(forward: batches.count)
            try forEachLogits(batches.map(\.inputs), parameters, objective, most: size) { index, logits in
                let (inputs, labels) = batches[index]
                let count = min(size, indices.count - first - index * size)
                guard set.isLabelled || logits.shape.first == count else { throw LabelFault.otherAxis }
                try body(logits.to(.float32), objective.labels(labels, for: logits, inputs))
            }
        }
    }

    private func forEachLogits(
        _ batches: [[String: Tensor]], _ parameters: ModelWeights, _ objective: Objective, most: Int,
        _ body: (_ batch: Int, _ logits: Tensor) throws -> Void
    ) throws {
        try TorchRuntime.withoutGradients {
            try TorchRuntime.withAutocast(autocast) {
                try objective.forEachLogits(model, batches, parameters, most: most) { index, logits in
                    guard autocast else { return try body(index, logits) }
                    try TorchRuntime.withAutocast(false) { try body(index, logits) }
                }
            }
        }
    }

    /// Leaves padding out of the set's batches where that changes nothing that the model says.
    func leaveOutPadding(_ parameters: ModelWeights, _ set: ValidationSet, _ objective: Objective) throws {
        guard objective.kind != .multipleChoice else { return }
        try set.leaveOutPadding(model.model.signature) { inputs in
            var found: Tensor?
            try TorchRuntime.withoutGradients {
                try objective.forEachLogits(model, [inputs], parameters, most: Self.batch) {
                    found = try $1.to(.float32)
                }
            }
            guard let found else { throw TorchError("the model gave no logits") }
            return found
        }
    }

    /// Loss and metric on the given examples. Throws `LabelFault` where any label of the set, given or not, does not
    /// fit.
    func score(
        _ parameters: ModelWeights, _ set: ValidationSet, _ indices: [Int], _ objective: Objective
    ) throws -> Outcome {
        var metric = RunningMetric(objective, measuresLoss: true)
        var isChecked = false
        var answers: [JudgedText] = []
        if objective.readsAnswers, set.answers == nil { throw LabelFault.noAnswerTexts(objective.metric) }
        try forEachBatch(parameters, set, indices, objective) { logits, labels in
            if !isChecked, !objective.kind.fitsNumbers {
                try set.checkLabels(classes: objective.aligned(logits, labels).0.shape.last ?? 1, objective)
                isChecked = true
            }
            try metric.add(logits, labels, checkpoint: nil)
            if objective.readsAnswers, let texts = set.answers {
                let part = Array(indices[answers.count..<min(answers.count + (logits.shape.first ?? 0), indices.count)])
                answers += try Self.answers(logits, texts, part, objective.metric)
            }
        }
        if objective.generation != nil || objective.readsAnswers {
            let texts =
                try objective.generation.map { try self.texts(parameters, set, indices, objective, $0) } ?? answers
            let predictions = Predictions(values: texts.map(\.value))
            let score = Score(
                examples: indices.count, loss: metric.loss, metric: objective.metric.rawValue,
                value: predictions.value(objective.metric))
            return Outcome(score: score, predictions: predictions, metric: objective.metric, texts: texts)
        }
        let score = Score(
            examples: indices.count, loss: metric.loss, metric: metric.metric.rawValue, value: metric.value)
        return Outcome(score: score, predictions: metric.predictions, metric: metric.metric)
    }
}
