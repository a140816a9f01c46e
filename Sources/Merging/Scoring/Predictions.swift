internal import Foundation
internal import WorkerProtocol

/// What a model said, one scored prediction after another: enough for the metric of it all, and for that of a blend of
/// two models. 32 bytes a prediction.
struct Predictions {
    /// Examples so far, and the one that each prediction belongs to.
    private(set) var examples = 0
    private(set) var owners: [Int] = []
    /// Of classes: what is right, and the most likely one.
    private(set) var labels: [Int64] = []
    private(set) var guesses: [Int64] = []
    /// Cross-entropy of each in nats; empty where it is not measured.
    private(set) var losses: [Double] = []
    /// Of a regression: the numbers wanted and those given, `width` an example; of several labels an example `width`
    /// flags.
    private(set) var targets: [Double] = []
    var outputs: [Double] = []
    private(set) var width = 1
    /// Of texts: the metric of each, 0 to 1.
    private(set) var values: [Double] = []

    /// Of tags: the spans of each example.
    private(set) var spans: [SpanCounts] = []

    init() {}

    /// One text for each example.
    init(values: [Double]) {
        self.values = values
        owners = Array(values.indices)
        examples = values.count
    }

    /// `hasColumns`: whether the predictions of an example are of one class each, in their order.
    mutating func add(
        guesses: [Int64], labels: [Int64], losses: [Double], isScored: [Bool], examples count: Int,
        hasColumns: Bool = false
    ) {
        let perExample = max(1, guesses.count / max(1, count))
        if hasColumns { width = perExample }
        for place in guesses.indices where isScored[place] {
            owners.append(examples + place / perExample)
            self.guesses.append(guesses[place])
            self.labels.append(labels[place])
            if !losses.isEmpty { self.losses.append(losses[place]) }
        }
        examples += count
    }

    mutating func add(spans: [SpanCounts]) { self.spans += spans }

    mutating func add(outputs: [Double], targets: [Double], width: Int, examples count: Int) {
        let perExample = max(1, outputs.count / max(1, count))
        owners += outputs.indices.map { examples + $0 / perExample }
        self.outputs += outputs
        self.targets += targets
        self.width = width
        examples += count
    }

    /// What a metric counts: all predictions together, or each column's, whose mean it is.
    func counts(_ metric: Metric) -> [ConfusionCounts] {
        let columns = metric == .macroF1 ? width : 1
        var counts = [ConfusionCounts](repeating: ConfusionCounts(), count: columns)
        for place in labels.indices {
            counts[place % columns].add(label: labels[place], prediction: guesses[place])
        }
        return counts
    }

    /// The metric of what is counted; nil where it counts nothing. Of columns the mean F1 of their class 1.
    static func value(_ counts: [ConfusionCounts], _ metric: Metric) -> Double? {
        guard counts.count > 1 else { return counts[0].value(metric) }
        return counts.reduce(0) { $0 + $1.f1 } / Double(counts.count)
    }

    /// 0 where nothing was scored.
    func value(_ metric: Metric) -> Double {
        guard !metric.isOfTexts else { return values.reduce(0, +) / Double(max(1, values.count)) }
        return switch metric {
        case .spanF1: spans.reduce(SpanCounts(), +).f1
        case .pearson: correlation(Scorer.pearson)
        case .spearman: correlation(Scorer.spearman)
        default: Self.value(counts(metric), metric) ?? exp(loss)
        }
    }

    /// A correlation; of several numbers an example the mean of each one's, for what they lie apart is no merit.
    private func correlation(_ measure: ([Double], [Double]) -> Double) -> Double {
        let each = (0..<width).map { column in
            let places = stride(from: column, to: outputs.count, by: width)
            return measure(places.map { outputs[$0] }, places.map { targets[$0] })
        }
        return each.reduce(0, +) / Double(width)
    }

    /// Mean cross-entropy in nats, or the mean square; 0 where it was not measured.
    var loss: Double {
        guard outputs.isEmpty else {
            return zip(outputs, targets).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(outputs.count)
        }
        return losses.reduce(0, +) / Double(max(1, losses.count))
    }

    /// Whether these are of the same examples with the same truth as the other's, so that they can be paired.
    func arePaired(with other: Predictions) -> Bool {
        owners == other.owners && labels == other.labels && targets == other.targets && width == other.width
            && losses.count == other.losses.count && values.count == other.values.count
            && spans.map(\.labelled) == other.spans.map(\.labelled)
    }

    /// How far from what is wanted a prediction is: of classes 0 or 1, of a regression the error's size, of a text what
    /// it lacks of 1.
    func error(_ place: Int) -> Double {
        guard values.isEmpty else { return 1 - values[place] }
        return outputs.isEmpty ? (labels[place] == guesses[place] ? 0 : 1) : abs(outputs[place] - targets[place])
    }
}
