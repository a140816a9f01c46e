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
    /// Of a regression: the numbers wanted and those given, `width` an example.
    private(set) var targets: [Double] = []
    var outputs: [Double] = []
    private(set) var width = 1

    mutating func add(guesses: [Int64], labels: [Int64], losses: [Double], isScored: [Bool], examples count: Int) {
        let perExample = max(1, guesses.count / max(1, count))
        for place in guesses.indices where isScored[place] {
            owners.append(examples + place / perExample)
            self.guesses.append(guesses[place])
            self.labels.append(labels[place])
            if !losses.isEmpty { self.losses.append(losses[place]) }
        }
        examples += count
    }

    mutating func add(outputs: [Double], targets: [Double], width: Int, examples count: Int) {
        let perExample = max(1, outputs.count / max(1, count))
        owners += outputs.indices.map { examples + $0 / perExample }
        self.outputs += outputs
        self.targets += targets
        self.width = width
        examples += count
    }

    var counts: ConfusionCounts {
        var counts = ConfusionCounts()
        for (label, guess) in zip(labels, guesses) { counts.add(label: label, prediction: guess) }
        return counts
    }

    /// 0 where nothing was scored.
    func value(_ metric: Metric) -> Double { metric == .pearson ? correlation : counts.value(metric) ?? exp(loss) }

    /// Pearson's correlation; of several numbers an example the mean of each one's, for what they lie apart is no
    /// merit.
    private var correlation: Double {
        let each = (0..<width).map { column in
            let places = stride(from: column, to: outputs.count, by: width)
            return Scorer.pearson(places.map { outputs[$0] }, places.map { targets[$0] })
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
            && losses.count == other.losses.count
    }

    /// How far from what is wanted a prediction is: of classes 0 or 1, of a regression the error's size.
    func error(_ place: Int) -> Double {
        outputs.isEmpty ? (labels[place] == guesses[place] ? 0 : 1) : abs(outputs[place] - targets[place])
    }
}
