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
    /// Examples of one forward pass.
    static let batch = 64

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
    }

    /// Logits of the given examples, a batch at a time, with their labels or what stands in for them.
    func forEachBatch(
        _ parameters: ModelWeights, _ set: ValidationSet, _ indices: [Int], _ objective: Objective,
        _ body: (_ logits: Tensor, _ labels: Tensor) throws -> Void
    ) throws {
        for first in stride(from: 0, to: indices.count, by: Self.batch * model.group) {
            let starts = stride(from: first, to: min(first + Self.batch * model.group, indices.count), by: Self.batch)
            let batches = try starts.map { start in
                try set.batch(Array(indices[start..<min(start + Self.batch, indices.count)]))
            }
            passes?.add(forward: batches.count)
            let outputs = try logits(batches.map(\.inputs), parameters, objective)
            for ((start, batch), logits) in zip(zip(starts, batches), outputs) {
                guard set.isLabelled || logits.shape.first == min(Self.batch, indices.count - start) else {
                    throw LabelFault.otherAxis
                }
                try TorchRuntime.withoutGradients {
                    try body(logits.to(.float32), objective.labels(batch.labels, for: logits, batch.inputs))
                }
            }
        }
    }

    private func logits(
        _ batches: [[String: Tensor]], _ parameters: ModelWeights, _ objective: Objective
    ) throws -> [Tensor] {
        try TorchRuntime.withoutGradients {
            try TorchRuntime.withAutocast(autocast) { try objective.logits(model, batches, parameters) }
        }
    }

    /// Leaves padding out of the set's batches where that changes nothing that the model says.
    func leaveOutPadding(_ parameters: ModelWeights, _ set: ValidationSet, _ objective: Objective) throws {
        guard objective.kind != .multipleChoice else { return }
        try set.leaveOutPadding(model.model.signature) { inputs in
            try TorchRuntime.withoutGradients { try objective.logits(model, [inputs], parameters)[0].to(.float32) }
        }
    }

    /// Loss and metric on the given examples. Throws `LabelFault` where any label of the set, given or not, does not
    /// fit.
    func score(
        _ parameters: ModelWeights, _ set: ValidationSet, _ indices: [Int], _ objective: Objective
    ) throws -> Outcome {
        var metric = RunningMetric(objective, measuresLoss: true)
        var isChecked = false
        try forEachBatch(parameters, set, indices, objective) { logits, labels in
            if !isChecked, objective.kind != .regression {
                try set.checkLabels(classes: objective.aligned(logits, labels).0.shape.last ?? 1, objective)
                isChecked = true
            }
            try metric.add(logits, labels, checkpoint: nil)
        }
        let score = Score(
            examples: indices.count, loss: metric.loss, metric: objective.metric.rawValue, value: metric.value)
        return Outcome(score: score, predictions: metric.predictions, metric: metric.metric)
    }

    /// Pearson's correlation; 0 where either side is constant.
    static func pearson(_ first: [Double], _ second: [Double]) -> Double {
        let count = Double(max(1, first.count))
        let meanFirst = first.reduce(0, +) / count
        let meanSecond = second.reduce(0, +) / count
        var product = 0.0
        var squareFirst = 0.0
        var squareSecond = 0.0
        for (x, y) in zip(first, second) {
            product += (x - meanFirst) * (y - meanSecond)
            squareFirst += (x - meanFirst) * (x - meanFirst)
            squareSecond += (y - meanSecond) * (y - meanSecond)
        }
        let scale = (squareFirst * squareSecond).squareRoot()
        return scale > 0 ? product / scale : 0
    }
}
