internal import Safetensors
internal import Torch

/// A task's labelled examples, in memory or read a batch at a time, split into those that the fit sees and those that are held out.
final class ValidationSet {
    let count: Int
    /// Indices of the examples, fixed by seed, task name and share.
    let fitted: [Int]
    let heldOut: [Int]
    /// Blends of examples that are fitted, which stand behind the others: the first has the index `count`.
    let mixtures: [Mixture]
    private let inputs: [String: ExampleColumn]
    private let labels: ExampleColumn

    /// Reads the file's tensors; the first axis of each is the examples. `holdout` is the share held out, at least one
    /// example and never all of them. A set that is not resident keeps nothing but its split in memory. Where all inputs are of
    /// floating point there are `mixup` mixtures for each fitted example.
    init(
        _ file: SafetensorsFile, task: String, inputNames: [String], holdout: Double, seed: UInt64,
        isResident: Bool = true, mixup: Int = 0
    ) throws {
        guard let labelEntry = file.entry("labels") else {
            throw MergeError.task(task, "the validation set has no tensor labels; add one label per example")
        }
        var inputs: [String: ExampleColumn] = [:]
        for name in inputNames {
            guard let entry = file.entry(name) else {
                throw MergeError.task(task, "the validation set has no tensor \(name), which the graph takes as input")
            }
            guard entry.shape.first == labelEntry.shape.first else {
                throw MergeError.task(task, "\(name) and labels have different numbers of examples")
            }
            inputs[name] = try ExampleColumn(file, entry, task: task, isResident: isResident)
        }
        self.inputs = inputs
        labels = try ExampleColumn(file, labelEntry, task: task, isResident: isResident)
        count = labelEntry.shape.first ?? 0
        let order = Sampler.permutation(count, seed: seed, stream: task + "/holdout")
        let share = holdout <= 0 ? 0 : min(max(1, Int((Double(count) * holdout).rounded())), count - 1)
        heldOut = order.prefix(max(0, share)).sorted()
        fitted = order.dropFirst(max(0, share)).sorted()
        guard !fitted.isEmpty else { throw MergeError.task(task, "the validation set is empty; add labelled examples") }
        let isMixable = !inputs.isEmpty && inputNames.allSatisfy { file.entry($0)?.dtype.isFloatingPoint == true }
        mixtures = Mixture.all(of: fitted, times: isMixable ? mixup : 0, seed: seed, stream: task + "/mixup")
    }

    /// What the steps of a fit draw from: the mixtures, where there are any.
    var drawn: [Int] { mixtures.isEmpty ? fitted : Array(count..<count + mixtures.count) }

    /// Bytes in memory.
    var residentBytes: Int { inputs.values.reduce(labels.residentBytes) { $0 + $1.residentBytes } }

    /// The inputs and labels of some examples; the labels of a mixture are those of its larger part.
    func batch(_ indices: [Int]) throws -> (inputs: [String: Tensor], labels: Tensor) {
        guard indices.contains(where: { $0 >= count }) else {
            return (try inputs.mapValues { try $0.rows(indices) }, try labels.rows(indices))
        }
        let blends = indices.map { $0 < count ? Mixture(first: $0, second: $0, share: 0) : mixtures[$0 - count] }
        let shares = try Tensor(blends.map { Float($0.share) }, shape: [blends.count])
        let mixed = try inputs.mapValues { column in
            let first = try column.rows(blends.map(\.first)).to(.float32)
            let second = try column.rows(blends.map(\.second)).to(.float32)
            let ones = [Int](repeating: 1, count: first.shape.count - 1)
            let share = try shares.reshaped([blends.count] + ones)
            return try first.adding(second.subtracting(first).multiplied(by: share))
        }
        return (mixed, try labels.rows(blends.map(\.first)))
    }

    /// Throws `LabelFault` where a label is none of `classes` classes, or none is scored.
    func checkLabels(classes: Int) throws {
        let scored = try labels.all().integers().filter { $0 != Int64(Objective.ignored) }
        guard !scored.isEmpty else { throw LabelFault.nothingScored }
        if let wrong = scored.first(where: { $0 < 0 || $0 >= Int64(classes) }) {
            throw LabelFault.outsideHead(label: wrong, classes: classes)
        }
    }

    /// One more than the largest label, for the size of a new head. Throws `LabelFault` where no head could have it.
    func classes() throws -> Int {
        let largest = try labels.all().integers().filter { $0 != Int64(Objective.ignored) }.max()
        guard let largest else { throw LabelFault.nothingScored }
        let classes = Int(min(largest, Self.mostClasses)) + 1
        try checkLabels(classes: classes)
        return classes
    }

    private static let mostClasses: Int64 = 1 << 24
}
