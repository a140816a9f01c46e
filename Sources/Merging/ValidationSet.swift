internal import Safetensors
internal import Torch

/// A task's examples, labelled or not, in memory or read a batch at a time, split into those that the fit sees and those that are held out.
final class ValidationSet {
    let count: Int
    /// Indices of the examples, fixed by seed, task name and share.
    let fitted: [Int]
    let heldOut: [Int]
    /// Blends of examples that are fitted, which stand behind the others: the first has the index `count`.
    let mixtures: [Mixture]
    private let inputs: [String: ExampleColumn]
    private let labels: ExampleColumn?

    var isLabelled: Bool { labels != nil }

    /// Reads the file's tensors; the first axis of each is the examples. `holdout` is the share held out, at least one
    /// example and never all of them. A set that is not resident keeps nothing but its split in memory. Where all inputs are of
    /// floating point there are `mixup` mixtures for each fitted example.
    init(
        _ file: SafetensorsFile, task: String, inputNames: [String], holdout: Double, seed: UInt64,
        isResident: Bool = true, mixup: Int = 0
    ) throws {
        let labelEntry = file.entry("labels")
        let counted = labelEntry ?? inputNames.first.flatMap { file.entry($0) }
        count = counted?.shape.first ?? 0
        var inputs: [String: ExampleColumn] = [:]
        for name in inputNames {
            guard let entry = file.entry(name) else {
                throw MergeError.task(task, "the validation set has no tensor \(name), which the graph takes as input")
            }
            guard entry.shape.first == counted?.shape.first else {
                throw MergeError.task(
                    task, "\(name) and \(counted?.name ?? "labels") have different numbers of examples")
            }
            inputs[name] = try ExampleColumn(file, entry, task: task, isResident: isResident)
        }
        self.inputs = inputs
        labels = try labelEntry.map { try ExampleColumn(file, $0, task: task, isResident: isResident) }
        let order = Sampler.permutation(count, seed: seed, stream: task + "/holdout")
        let share = holdout <= 0 ? 0 : min(max(1, Int((Double(count) * holdout).rounded())), count - 1)
        heldOut = order.prefix(max(0, share)).sorted()
        fitted = order.dropFirst(max(0, share)).sorted()
        guard !fitted.isEmpty else { throw MergeError.task(task, "the validation set is empty; add examples") }
        let isMixable = !inputs.isEmpty && inputNames.allSatisfy { file.entry($0)?.dtype.isFloatingPoint == true }
        mixtures = Mixture.all(of: fitted, times: isMixable ? mixup : 0, seed: seed, stream: task + "/mixup")
    }

    /// What the steps of a fit draw from: the mixtures, where there are any.
    var drawn: [Int] { mixtures.isEmpty ? fitted : Array(count..<count + mixtures.count) }

    /// Every example and mixture.
    var all: [Int] { Array(0..<count + mixtures.count) }

    /// Bytes in memory.
    var residentBytes: Int { inputs.values.reduce(labels?.residentBytes ?? 0) { $0 + $1.residentBytes } }

    /// The inputs and, where there are any, the labels of some examples; those of a mixture are its larger part's.
    func batch(_ indices: [Int]) throws -> (inputs: [String: Tensor], labels: Tensor?) {
        guard indices.contains(where: { $0 >= count }) else {
            return (try inputs.mapValues { try $0.rows(indices) }, try labels?.rows(indices))
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
        return (mixed, try labels?.rows(blends.map(\.first)))
    }

    /// Throws `LabelFault` where a label is none of `classes` classes, or none is scored.
    func checkLabels(classes: Int) throws {
        guard let labels else { return }
        let scored = try labels.all().integers().filter { $0 != Int64(Objective.ignored) }
        guard !scored.isEmpty else { throw LabelFault.nothingScored }
        if let wrong = scored.first(where: { $0 < 0 || $0 >= Int64(classes) }) {
            throw LabelFault.outsideHead(label: wrong, classes: classes)
        }
    }

    /// One more than the largest label, for the size of a new head. Throws `LabelFault` where no head could have it.
    func classes() throws -> Int {
        let largest = try labels?.all().integers().filter { $0 != Int64(Objective.ignored) }.max()
        guard let largest else { throw LabelFault.nothingScored }
        let classes = Int(min(largest, Self.mostClasses)) + 1
        try checkLabels(classes: classes)
        return classes
    }

    private static let mostClasses: Int64 = 1 << 24
}
