internal import Torch
internal import WorkerProtocol

/// What a model's outputs mean: the loss that is trained and the metric that is reported.
struct Objective: Sendable {
    let kind: TaskSettings.Objective
    /// Whether output t predicts label t + 1 (a causal language model; not one with a decoder input of its own).
    let shifts: Bool

    /// Labels with this value are not scored.
    static let ignored = -100

    var metric: String {
        switch kind {
        case .classification: "accuracy"
        case .languageModeling: "token-accuracy"
        case .regression: "pearson"
        }
    }

    /// Logits as [predictions, classes] and labels as [predictions]; regression: both flat.
    func aligned(_ logits: Tensor, _ labels: Tensor) throws -> (Tensor, Tensor) {
        guard kind != .regression else {
            return (try logits.reshaped([-1]), try labels.reshaped([-1]).to(.float32))
        }
        var logits = logits
        var labels = labels
        if shifts, logits.shape.count == 3 {
            let length = logits.shape[1]
            logits = try .one("aten::narrow", [.tensor(logits), .int(1), .int(0), .int(length - 1)])
            labels = try .one("aten::narrow", [.tensor(labels), .int(1), .int(1), .int(length - 1)])
        }
        let classes = logits.shape.last ?? 1
        return (try logits.reshaped([-1, classes]), try labels.reshaped([-1]).to(.int64))
    }

    /// Mean loss over the scored predictions: cross-entropy in nats, or squared error.
    func loss(_ logits: Tensor, _ labels: Tensor) throws -> Tensor {
        let (outputs, targets) = try aligned(logits.to(.float32), labels)
        return kind == .regression
            ? try outputs.squaredError(targets) : try outputs.crossEntropy(targets, ignoring: Self.ignored)
    }

    /// T² · KL(teacher ‖ student) at temperature T, per prediction (Hinton et al., arXiv 1503.02531).
    func distillation(_ logits: Tensor, teacher: Tensor, temperature: Double = 2) throws -> Tensor {
        guard kind != .regression else { return try logits.reshaped([-1]).squaredError(teacher.reshaped([-1])) }
        let classes = logits.shape.last ?? 1
        let student = try logits.to(.float32).reshaped([-1, classes]).divided(by: temperature).logSoftmax()
        let target = try teacher.reshaped([-1, classes]).divided(by: temperature)
        let probabilities = try target.softmax()
        let difference = try target.logSoftmax().subtracting(student)
        let predictions = Double(max(1, student.shape[0]))
        return try probabilities.multiplied(by: difference).sum()
            .multiplied(by: temperature * temperature / predictions)
    }
}

extension Objective {
    /// A graph without `decoder_input_ids` that models language is causal: its outputs are shifted against the labels.
    init(kind: TaskSettings.Objective, inputs: [String]) {
        self.init(kind: kind, shifts: kind == .languageModeling && !inputs.contains("decoder_input_ids"))
    }
}
