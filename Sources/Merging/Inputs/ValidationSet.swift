internal import Safetensors
internal import Tasks
internal import Torch
internal import WorkerProtocol

/// A task's examples, labelled or not, in memory or read a batch at a time, split into those that the fit sees and
/// those that are held out.
final class ValidationSet {
    let count: Int
    /// Indices of the examples, fixed by seed, task name and share.
    let fitted: [Int]
    let heldOut: [Int]
    /// Blends of examples that are fitted, which stand behind the others: the first has the index `count`.
    let mixtures: [Mixture]
    let inputs: [String: ExampleColumn]
    /// What is left out of the batches; nil: nothing.
    var padding: Padding?
    let labels: ExampleColumn?
    /// Tokens of the choices of a multiple choice, [examples, choices, tokens].
    private let choices: ExampleColumn?
    /// The texts of questions, where the file has them.
    let answers: AnswerColumns?
    /// Where the decoder's inputs are not in the file: what they are made with, out of the labels or choices.
    private let decoderStart: DecoderStart?

    static let choices = ValidationCheck.choices
    static let decoderInputs = ValidationCheck.decoderInputs

    var isLabelled: Bool { labels != nil }

    /// Reads the tensors of a file that `ValidationCheck` has passed; the first axis of each is the examples. `holdout`
    /// is the share held out, at least one example and never all of them. A set that is not resident keeps nothing but
    /// its split and its lengths in memory. Where all inputs are of floating point there are `mixup` mixtures for each
    /// fitted example. `decoderStart`: what the base says of it.
    init(
        _ file: SafetensorsFile, task: String, inputNames: [String],
        objective: TaskSettings.Objective = .classification, decoderStart: DecoderStart? = nil, holdout: Double,
        seed: UInt64, isResident: Bool = true, mixup: Int = 0
    ) throws {
        let labelEntry = file.entry(ValidationCheck.labels)
        let counted = labelEntry ?? inputNames.first.flatMap { file.entry($0) }
        let choiceEntry = objective == .multipleChoice ? file.entry(Self.choices) : nil
        let targets = objective == .multipleChoice ? choiceEntry : objective.predictsTokens ? labelEntry : nil
        let isDecoderFed = file.entry(Self.decoderInputs) != nil || !inputNames.contains(Self.decoderInputs)
        self.decoderStart = isDecoderFed || targets == nil ? nil : decoderStart
        count = counted?.shape.first ?? 0
        var inputs: [String: ExampleColumn] = [:]
        for name in inputNames where name != Self.decoderInputs || self.decoderStart == nil {
            guard let entry = file.entry(name) else {
                throw MergeError.task(task, "the validation set has no tensor \(name), which the graph takes as input")
            }
            inputs[name] = try ExampleColumn(file, entry, task: task, isResident: isResident)
        }
        self.inputs = inputs
        labels = try labelEntry.map { try ExampleColumn(file, $0, task: task, isResident: isResident) }
        answers =
            objective == .questionAnswering
            ? try AnswerColumns(file, task: task, isResident: isResident) : nil
        choices = try choiceEntry.map { try ExampleColumn(file, $0, task: task, isResident: isResident) }
        let order = Sampler.permutation(count, seed: seed, stream: task + "/holdout")
        let share = holdout <= 0 ? 0 : min(max(1, Int((Double(count) * holdout).rounded())), count - 1)
        heldOut = order.prefix(max(0, share)).sorted()
        fitted = order.dropFirst(max(0, share)).sorted()
        guard !fitted.isEmpty else { throw MergeError.task(task, "the validation set is empty; add examples") }
        let isMixable = !inputs.isEmpty && inputNames.allSatisfy { file.entry($0)?.dtype.isFloatingPoint == true }
        mixtures = Mixture.all(of: fitted, times: isMixable ? mixup : 0, seed: seed, stream: task + "/mixup")
    }

    /// Tokens of an example: the longest axis behind the examples' of an input of integers; 1 where there is none.
    var tokens: Int {
        inputs.values.filter { !$0.dtype.isFloatingPoint }.compactMap { $0.shape.dropFirst().last }.max() ?? 1
    }

    /// What the steps of a fit draw from: the mixtures, where there are any.
    var drawn: [Int] { mixtures.isEmpty ? fitted : Array(count..<count + mixtures.count) }

    /// Every example and mixture.
    var all: [Int] { Array(0..<count + mixtures.count) }

    /// Bytes in memory.
    var residentBytes: Int {
        inputs.values.reduce((labels?.residentBytes ?? 0) + (choices?.residentBytes ?? 0)) { $0 + $1.residentBytes }
            + (answers?.residentBytes ?? 0)
    }

    /// The inputs and, where there are any, the labels of some examples; those of a mixture are its larger part's.
    func batch(_ indices: [Int]) throws -> (inputs: [String: Tensor], labels: Tensor?) {
        guard indices.contains(where: { $0 >= count }) else {
            var given = try inputs.mapValues { try $0.rows(indices) }
            if let padding {
                let length = padding.length(of: indices)
                for name in padding.inputs {
                    given[name] = try given[name]?.places(from: 0, count: length, axis: padding.axis).contiguous()
                }
            }
            let labels = try labels?.rows(indices)
            given[Self.choices] = try choices?.rows(indices)
            if let decoderStart, let targets = given[Self.choices] ?? labels {
                given[Self.decoderInputs] = try decoderStart.inputs(targets)
            }
            return (given, labels)
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

    /// All labels, one example after another; nil where there are none.
    func labelValues() throws -> (values: [Int64], shape: [Int])? {
        try labels.map { column in
            let tensor = try column.all()
            return (try tensor.integers(), tensor.shape)
        }
    }

    /// The labels of the fitted examples as numbers; nil where there are none.
    func fittedNumbers() throws -> [Double]? { try labels?.rows(fitted).to(.float32).doubles() }
}
