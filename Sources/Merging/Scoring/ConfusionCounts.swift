internal import WorkerProtocol

/// Labels and predictions of classes, counted.
struct ConfusionCounts: Hashable, Sendable {
    /// Predictions in all, and those that are right.
    private(set) var total = 0
    private(set) var right = 0
    private var classes: [Int64: Count] = [:]

    /// One class: how often it is the label, is predicted, and both.
    private struct Count: Hashable {
        var labelled = 0
        var predicted = 0
        var both = 0

        var f1: Double { labelled + predicted == 0 ? 0 : 2 * Double(both) / Double(labelled + predicted) }
    }

    mutating func add(label: Int64, prediction: Int64) {
        total += 1
        classes[label, default: Count()].labelled += 1
        classes[prediction, default: Count()].predicted += 1
        guard label == prediction else { return }
        right += 1
        classes[label, default: Count()].both += 1
    }

    /// Takes a prediction for another's.
    mutating func move(label: Int64, from old: Int64, to new: Int64) {
        classes[old, default: Count()].predicted -= 1
        classes[new, default: Count()].predicted += 1
        if old == label {
            classes[old, default: Count()].both -= 1
            right -= 1
        }
        if new == label {
            classes[new, default: Count()].both += 1
            right += 1
        }
    }

    /// Nil for a metric that is not of classes counted.
    func value(_ metric: Metric) -> Double? {
        switch metric {
        case .accuracy, .tokenAccuracy, .rankAccuracy: accuracy
        case .f1, .microF1: f1
        case .macroF1: macroF1
        case .matthews: matthews
        default: nil
        }
    }

    /// The share that is right; 0 without any.
    var accuracy: Double { Double(right) / Double(max(1, total)) }

    /// F1 of class 1; 0 where it neither occurs nor is predicted.
    var f1: Double { classes[1]?.f1 ?? 0 }

    /// The mean F1 of the classes that occur among labels or predictions.
    var macroF1: Double {
        let occurring = classes.filter { $0.value.labelled + $0.value.predicted > 0 }.sorted { $0.key < $1.key }
        return occurring.reduce(0) { $0 + $1.value.f1 } / Double(max(1, occurring.count))
    }

    /// (c n − Σ tₖ pₖ) / √((n² − Σ tₖ²)(n² − Σ pₖ²)) with c right of n, tₖ labels and pₖ predictions of class k
    /// (Gorodkin, Computational Biology and Chemistry 28, 2004); 0 where either side is constant.
    var matthews: Double {
        let count = Double(total)
        var (products, labels, predictions) = (0.0, 0.0, 0.0)
        for (_, each) in classes.sorted(by: { $0.key < $1.key }) {
            products += Double(each.labelled) * Double(each.predicted)
            labels += Double(each.labelled) * Double(each.labelled)
            predictions += Double(each.predicted) * Double(each.predicted)
        }
        let scale = ((count * count - labels) * (count * count - predictions)).squareRoot()
        return scale > 0 ? (Double(right) * count - products) / scale : 0
    }
}
