import ArgumentParser
import WorkerProtocol

extension MergeSettings.Method: ExpressibleByArgument {}
extension MergeSettings.Strategy: ExpressibleByArgument {}
extension MergeSettings.Granularity: ExpressibleByArgument {}
extension MergeSettings.Activation: ExpressibleByArgument {}
extension MergeSettings.Schedule: ExpressibleByArgument {}
extension MergeSettings.Start: ExpressibleByArgument {}
extension MergeSettings.Loss: ExpressibleByArgument {}
extension MergeSettings.Device: ExpressibleByArgument {}
extension MergeSettings.Precision: ExpressibleByArgument {}

/// A number, or the word that asks for a search.
enum Scale: ExpressibleByArgument {
    case value(Double)
    case search

    init?(argument: String) {
        if argument == "search" {
            self = .search
        } else {
            guard let value = Double(argument), value.isFinite else { return nil }
            self = .value(value)
        }
    }
}

/// The flags that make up `MergeSettings`; defaults are the settings' own.
struct MergeOptions: ParsableArguments {
    private static let defaults = MergeSettings()

    private static func bytes(_ text: String) throws -> Int64 {
        guard let bytes = Quantity.size(text) else { throw ValidationError("'\(text)' is no size like 8GiB") }
        return bytes
    }

    @Option(help: "How to merge.")
    var method = defaults.method
    @Option(
        help: """
            All weights in one fit (joint; incremental is that where nothing is deployed), a tree of small fits \
            (hierarchical), or by --memory (auto).
            """)
    var strategy = defaults.strategy
    @Option(help: "Most children of a node of the tree.")
    var fanIn = defaults.fanIn
    @Option(
        help: "Memory above which auto takes the tree, like 8GiB or 500MB; a number without a unit is bytes.",
        transform: Self.bytes)
    var memory = defaults.memory
    @Option(
        help: """
            One weight per tensor (the paper), per output row, per row and column, or per element; auto: per row and \
            column, or per tensor where examples are few. (default: auto; tensor for adamerging)
            """)
    var granularity: MergeSettings.Granularity?
    @Option(
        help: """
            How supermerge's weights become coefficients: tanh (the paper), clamp to 0...1, or none. A column's gain is \
            1 + tanh, clamped to 0...2, or free.
            """)
    var squash = defaults.squash
    @Option(
        help: """
            Fit to the labels, to each task's own checkpoint, or to both; auto: the checkpoint, and for language \
            modelling the labels.
            """
    )
    var loss = defaults.loss
    @Option(
        help:
            "With distillation and inputs that are numbers: how many mixtures of examples to fit to, for each example.")
    var mixup = defaults.mixup
    @Option(
        help: """
            What supermerge starts from: the task vectors (the paper), these and what calibration by forward \
            passes changes \
            (calibrated), or whichever is better after a few steps (auto).
            """)
    var start = defaults.start
    @Option(help: "Calibration's λ, relative to the mean square of a layer's inputs. (default: chosen for each layer)")
    var ridge: Double?
    @Option(help: "Most steps of the fit.")
    var steps = defaults.steps
    @Option(help: "Step size of Adam. (default: 0.03; 0.01 for tensor; 0.001 for adamerging)")
    var learningRate: Double?
    @Option(help: "Whether the step size stays, or falls to 0 over --steps, evenly or along a cosine.")
    var schedule = defaults.schedule
    @Option(help: "Share of --steps that is taken from a --previous merge in the same form; 1: a fit like any other.")
    var arrivalShare = defaults.arrivalShare
    @Option(help: "Step size of Adam at the start of such a fit; it falls to 0.")
    var arrivalLearningRate = defaults.arrivalLearningRate
    @Option(help: "Examples of each task in a step.")
    var batch = defaults.batch
    @Option(help: "Steps between two looks at the held-out examples.")
    var evaluateEvery = defaults.evaluateEvery
    @Option(help: "Looks without a better held-out loss before the fit stops.")
    var patience = defaults.patience
    @Option(
        help: """
            Coefficient that every weight starts from, and λ of task-arithmetic, ties and dare, or 'search' to find λ on \
            the validation sets. (default: 0.3; 1 for ties)
            """)
    var scale: Scale?
    @Option(help: "Share of each task vector that ties and dare keep. (default: 0.2 for ties, 0.5 for dare)")
    var density: Double?
    @Option(help: "Share of each validation set that is held out of the fit.")
    var holdout = defaults.holdout
    @Option(help: "Seed of the split and of the batches.")
    var seed = defaults.seed
    @Option(help: "Threads; 0: one for each core.")
    var threads = defaults.threads
    @Option(help: "Where to compute.")
    var device = defaults.device
    @Option(help: "Precision of the matrix products.")
    var precision = defaults.precision
    @Flag(help: "Write the result as one adapter, too, into adapter/: where every task is a LoRA, or every one (IA)³.")
    var adapter = false
    @Option(
        help: "Most bytes of a file of weights, like 5GB or 2GiB; a larger model is written in shards with an index.",
        transform: Self.bytes)
    var maxShardSize = defaults.maxShardSize

    func validate() throws {
        guard steps >= 0, mixup >= 0, batch > 0, evaluateEvery > 0, patience > 0, threads >= 0 else {
            throw ValidationError(
                "steps, mixup and threads count from 0; batch, evaluate-every and patience from 1")
        }
        guard fanIn >= 2, memory > 0, maxShardSize > 0 else {
            throw ValidationError("fan-in counts from 2, memory and max-shard-size from 1")
        }
        let settings = settings
        guard settings.learningRate > 0, settings.learningRate.isFinite, (0..<1).contains(holdout) else {
            throw ValidationError("learning-rate must be positive and holdout in 0..<1")
        }
        guard arrivalShare > 0, arrivalShare <= 1, arrivalLearningRate > 0, arrivalLearningRate.isFinite else {
            throw ValidationError("arrival-share must be above 0 and at most 1, and arrival-learning-rate positive")
        }
        if let ridge, !(ridge > 0 && ridge.isFinite) {
            throw ValidationError("ridge must be positive: \(ridge); a usual one is 0.01")
        }
        if let density, !(density > 0 && density <= 1) {
            throw ValidationError("density must be above 0 and at most 1")
        }
        guard method != .adamerging || settings.granularity != .rowColumn else {
            throw ValidationError("adamerging has no gains for columns; choose granularity tensor, row or element")
        }
        if let needed = settings.scaleFault {
            throw ValidationError("scale must be \(needed) for \(method.rawValue); static methods take any")
        }
        if let fault = settings.deviceFault { throw ValidationError(fault) }
        if let fault = settings.adapterFault { throw ValidationError("adapter \(fault)") }
    }

    var settings: MergeSettings {
        var settings = MergeSettings()
        settings.method = method
        settings.strategy = strategy
        settings.fanIn = fanIn
        settings.memory = memory
        settings.granularity = granularity ?? method.usualGranularity
        settings.squash = squash
        settings.loss = loss
        settings.mixup = mixup
        settings.start = start
        settings.ridge = ridge
        settings.steps = steps
        settings.learningRate = learningRate ?? method.usualLearningRate(settings.granularity)
        settings.schedule = schedule
        settings.arrivalShare = arrivalShare
        settings.arrivalLearningRate = arrivalLearningRate
        settings.batch = batch
        settings.evaluateEvery = evaluateEvery
        settings.patience = patience
        settings.scale = method.usualScale
        switch scale {
        case .value(let value): settings.scale = value
        case .search: settings.searchesScale = true
        case nil: break
        }
        settings.density = density
        settings.holdout = holdout
        settings.seed = seed
        settings.threads = threads
        settings.device = device
        settings.precision = precision
        settings.writesAdapter = adapter
        settings.maxShardSize = maxShardSize
        return settings
    }
}
