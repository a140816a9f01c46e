internal import Foundation
internal import Torch
internal import WorkerProtocol

/// A task's metric over batches, and with it the loss where that is asked for.
struct RunningMetric {
    private let objective: Objective
    private let measuresLoss: Bool
    private var counts = ConfusionCounts()
    private var losses = 0.0
    private var outputs: [Double] = []
    private var targets: [Double] = []
    /// Whether each scored prediction is right, or the checkpoint's; empty for a regression.
    private(set) var right: [Bool] = []
    /// Whether what was added was compared with a checkpoint and not with labels.
    private var isAgreement = false

    init(_ objective: Objective, measuresLoss: Bool = false) {
        self.objective = objective
        self.measuresLoss = measuresLoss || objective.metric == .perplexity
    }

    /// The objective's metric; with a checkpoint for truth the share of predictions that are the checkpoint's, or Pearson's
    /// correlation. 0 where nothing was scored.
    var value: Double {
        guard !isAgreement || objective.kind == .regression else { return counts.accuracy }
        switch objective.metric {
        case .accuracy, .tokenAccuracy, .rankAccuracy: return counts.accuracy
        case .f1: return counts.f1
        case .macroF1: return counts.macroF1
        case .matthews: return counts.matthews
        case .pearson: return Scorer.pearson(outputs, targets)
        case .perplexity: return exp(loss)
        }
    }

    /// Mean cross-entropy of a scored prediction in nats, or the mean square; 0 where it was not measured.
    var loss: Double {
        guard objective.kind == .regression else { return losses / Double(max(1, counts.total)) }
        return zip(outputs, targets).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(max(1, outputs.count))
    }

    /// `checkpoint`: logits of the task's own checkpoint, whose predictions are the truth where `labels` are stand-ins.
    mutating func add(_ logits: Tensor, _ labels: Tensor, checkpoint: Tensor?) throws {
        let (predictions, truth) = try objective.aligned(logits, labels)
        let own = try checkpoint.map { try objective.aligned($0, labels).0 }
        isAgreement = isAgreement || own != nil
        guard objective.kind != .regression else {
            outputs += try predictions.doubles()
            targets += try (own ?? truth).doubles()
            return
        }
        if measuresLoss, own == nil {
            losses += try predictions.crossEntropy(truth, reduction: .none, ignoring: Objective.ignored).doubles()
                .reduce(0, +)
        }
        let labels = try truth.integers()
        let wanted = try own?.argmax().integers() ?? labels
        for (place, guess) in try predictions.argmax().integers().enumerated()
        where labels[place] != Int64(Objective.ignored) {
            counts.add(label: wanted[place], prediction: guess)
            right.append(guess == wanted[place])
        }
    }
}
