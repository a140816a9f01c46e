internal import Foundation
internal import Torch
internal import WorkerProtocol

/// A task's metric over batches, and with it the loss where that is asked for.
struct RunningMetric {
    private let objective: Objective
    private let measuresLoss: Bool
    private(set) var predictions = Predictions()
    /// Whether what was added was compared with a checkpoint and not with labels.
    private var isAgreement = false

    init(_ objective: Objective, measuresLoss: Bool = false) {
        self.objective = objective.byTokens
        self.measuresLoss = measuresLoss || objective.metric == .perplexity
    }

    /// The objective's, or that of tokens where texts are compared; with a checkpoint for truth the share of
    /// predictions that are the checkpoint's, or of numbers Pearson's correlation.
    var metric: Metric {
        guard isAgreement else { return objective.metric }
        return objective.kind.fitsNumbers ? .pearson : .accuracy
    }

    /// 0 where nothing was scored.
    var value: Double { predictions.value(metric) }

    /// Mean cross-entropy of a scored prediction in nats, or the mean square; 0 where it was not measured.
    var loss: Double { predictions.loss }

    /// `checkpoint`: logits of the task's own checkpoint, whose predictions are the truth where `labels` are stand-ins.
    mutating func add(_ logits: Tensor, _ labels: Tensor, checkpoint: Tensor?) throws {
        let (outputs, truth) = try objective.aligned(logits, labels)
        let own = try checkpoint.map { try objective.aligned($0, labels).0 }
        isAgreement = isAgreement || own != nil
        let examples = logits.shape.first ?? 1
        guard !objective.kind.fitsNumbers else {
            let width = logits.shape.count == 2 ? logits.shape[1] : 1
            try predictions.add(
                outputs: outputs.doubles(), targets: (own ?? truth).doubles(), width: width, examples: examples)
            return
        }
        let losses =
            try measuresLoss && own == nil
            ? outputs.crossEntropy(truth, reduction: .none, ignoring: Objective.ignored).doubles() : []
        let labels = try truth.integers()
        let guesses = try outputs.argmax().integers()
        if own == nil, !objective.tags.isEmpty {
            predictions.add(spans: SpanCounts.each(of: examples, guesses, labels, tags: objective.tags))
        }
        predictions.add(
            guesses: guesses, labels: try own?.argmax().integers() ?? labels, losses: losses,
            isScored: labels.map { $0 != Int64(Objective.ignored) }, examples: examples,
            hasColumns: objective.kind == .multiLabel)
    }
}
