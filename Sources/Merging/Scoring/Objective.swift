internal import Tasks
internal import Torch
internal import WorkerProtocol

/// What a model's outputs mean: the loss that is trained and the metric that is reported.
struct Objective: Sendable {
    let kind: TaskSettings.Objective
    /// Whether output t predicts label t + 1 (a causal language model; not one with a decoder input of its own).
    let shifts: Bool
    /// Name of the input that says which of the outputs belong to padding, where each token has one.
    var mask: String?
    private(set) var metric: Metric
    /// Names of the classes, where spans of them are judged.
    var tags: [String] = []
    /// How texts are written and read, where the metric compares them.
    var generation: Generation?
    /// Whether choices are ranked by the mean over their tokens.
    let normalizesLength: Bool

    /// Labels with this value are not scored.
    static let ignored = LabelFault.ignored

    /// Logits as [predictions, classes] and labels as [predictions]; numbers: both flat. Of several labels an example
    /// each class is a prediction of its own, with the scores 0 and z of no and yes: their cross-entropy is the binary
    /// one of z. Throws `LabelFault` where there is not one label for each prediction.
    func aligned(_ logits: Tensor, _ labels: Tensor) throws -> (Tensor, Tensor) {
        let expected = kind.fitsNumbers || kind == .multiLabel ? logits.shape : logits.shape.dropLast()
        guard labels.elementCount == expected.reduce(1, *), !shifts || labels.shape == expected else {
            throw LabelFault.count(labels: labels.shape, expected: Array(expected))
        }
        guard !kind.fitsNumbers else {
            return (try logits.reshaped([-1]), try labels.reshaped([-1]).to(.float32))
        }
        guard kind != .multiLabel else {
            let scores = try logits.reshaped([-1, 1])
            let pairs = try Tensor.concatenated([scores.multiplied(by: 0), scores], axis: 1)
            return (pairs, try labels.reshaped([-1]).to(.int64))
        }
        var logits = logits
        var labels = labels
        if shifts, logits.shape.count == 3 {
            (logits, labels) = try Self.shifted(logits, labels)
        }
        let classes = logits.shape.last ?? 1
        return (try logits.reshaped([-1, classes]), try labels.reshaped([-1]).to(.int64))
    }

    /// Whether the words between two tokens are compared, and not the tokens' numbers.
    var readsAnswers: Bool { kind == .questionAnswering && metric.isOfTexts }

    /// The labels, or where none are given what stands in for them: it only says which predictions are scored, which
    /// are all but padding.
    func labels(_ given: Tensor?, for logits: Tensor, _ inputs: [String: Tensor]) throws -> Tensor {
        if let given { return given }
        guard !kind.fitsNumbers else { return try .zeros(logits.shape) }
        guard kind != .multiLabel else { return try .zeros(logits.shape, .int64) }
        let shape = Array(logits.shape.dropLast())
        guard let mask = mask.flatMap({ inputs[$0] }), mask.shape == shape else { return try .zeros(shape, .int64) }
        let isPadding = try mask.to(.int64).integers().map { $0 == 0 }
        return try Tensor(isPadding.map { $0 ? Int64(Self.ignored) : 0 }, shape: shape)
    }

    /// How many predictions are scored: all but those whose label is `ignored`.
    func scored(_ logits: Tensor, _ labels: Tensor) throws -> Int {
        try Self.isScored(aligned(logits, labels).1, kind).count { $0 }
    }

    /// Which of the aligned predictions count.
    static func isScored(_ targets: Tensor, _ kind: TaskSettings.Objective) throws -> [Bool] {
        kind.fitsNumbers
            ? [Bool](repeating: true, count: targets.elementCount)
            : try targets.integers().map { $0 != Int64(ignored) }
    }

    /// Mean loss over the scored predictions: cross-entropy in nats, or squared error. 0 where none is scored.
    func loss(_ logits: Tensor, _ labels: Tensor) throws -> Tensor {
        let (outputs, targets) = try aligned(logits.to(.float32), labels)
        guard !kind.fitsNumbers else { return try outputs.squaredError(targets) }
        guard try Self.isScored(targets, kind).contains(true) else { return try outputs.sum().multiplied(by: 0) }
        return try outputs.crossEntropy(targets, ignoring: Self.ignored)
    }

    /// T² · KL(teacher ‖ student) at temperature T, per prediction (Hinton et al., arXiv 1503.02531). The labels only
    /// say which predictions are scored: a language model's padding has nothing to teach.
    func distillation(
        _ logits: Tensor, teacher: Tensor, labels: Tensor, temperature: Double = 2
    ) throws -> Tensor {
        let (outputs, targets) = try aligned(logits.to(.float32), labels)
        let (wanted, _) = try aligned(teacher, labels)
        guard !kind.fitsNumbers else { return try outputs.squaredError(wanted) }
        let isScored = try Self.isScored(targets, kind)
        let student = try outputs.divided(by: temperature).logSoftmax()
        let target = try wanted.divided(by: temperature)
        let truth = try target.logSoftmax()
        var divergence = try target.softmax().multiplied(
            by: Self.finite(truth, where: truth).subtracting(Self.finite(student, where: truth)))
        if isScored.contains(false) {
            let mask = try Tensor(isScored.map { $0 ? 1 : 0 as Float }, shape: [isScored.count, 1])
            divergence = try divergence.multiplied(by: mask)
        }
        let predictions = Double(max(1, isScored.count { $0 }))
        return try divergence.sum().multiplied(by: temperature * temperature / predictions)
    }

    /// `values` with 0 where the logarithm of a probability is −∞: a class that is impossible adds nothing, for p log p
    /// → 0.
    static func finite(_ values: Tensor, where logarithms: Tensor) throws -> Tensor {
        let impossible = try Tensor.one("aten::eq", "Scalar", [.tensor(logarithms), .double(-.infinity)])
        return try .one("aten::masked_fill", "Scalar", [.tensor(values), .tensor(impossible), .double(0)])
    }
}

extension Objective {
    /// The same, judged by what a pass over the labels says: no text is written.
    var byTokens: Objective {
        guard metric.isOfTexts else { return self }
        var objective = self
        (objective.metric, objective.generation) = (.tokenAccuracy, nil)
        return objective
    }

    /// A graph without `decoder_input_ids` that gives out tokens is causal: its outputs are shifted against the labels.
    init(
        kind: TaskSettings.Objective, metric: Metric? = nil, normalizesLength: Bool = false, inputs: [String]
    ) {
        shifts = kind.mayDecode && !inputs.contains("decoder_input_ids")
        let mask = kind.labelsInputs || shifts ? "attention_mask" : "decoder_attention_mask"
        self.mask = kind.labelsTokens && inputs.contains(mask) ? mask : nil
        self.kind = kind
        self.metric = metric ?? Metric(of: kind)
        self.normalizesLength = normalizesLength
    }

    init(_ settings: TaskSettings, inputs: [String]) {
        self.init(
            kind: settings.objective, metric: settings.metric, normalizesLength: settings.normalizesLength,
            inputs: inputs)
    }
}
