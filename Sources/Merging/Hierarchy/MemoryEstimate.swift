internal import ExportedGraph
internal import Safetensors
internal import WorkerProtocol

/// About how many bytes a fit of all tasks at once takes, from the headers of the files and the graph: nothing is run.
struct MemoryEstimate: Hashable, Sendable {
    /// The numerical libraries, and the pieces of tensors that every merge reads.
    var program: Int64 = 384 << 20
    /// θm in float32, with several tasks the sum of their gradients, and a gradient that is on its way.
    var model: Int64 = 0
    /// What the graph computes between its inputs and outputs for one batch, all kept for the backward pass.
    var activations: Int64 = 0
    /// Examples, heads and the logits to distil from, of all tasks: what a hierarchical fit leaves in the files.
    var tasks: Int64 = 0
    /// What calibration holds of all examples at once, and the sums of its largest layer.
    private(set) var calibration: Int64 = 0
    /// The same of a streamed model, with the weights of one layer.
    private(set) var streamedCalibration: Int64 = 0

    /// The trunk's parameters in float32.
    private(set) var trunk: Int64 = 0
    /// Rows that the graph is given in a step of one task, and the longest of their free axes.
    private(set) var rows = 1
    private(set) var length = 1
    /// Examples of one forward pass of a score.
    private(set) var scoredRows = 1

    /// What only runs a merged model.
    var scoring: Int64 { program + trunk + tasks }
    var joint: Int64 { program + model + activations + tasks }
    /// A merge layer by layer, by forward passes.
    var layerwise: Int64 { program + trunk + tasks + (spills ? streamedCalibration : calibration) }
    /// Whether what calibration holds of all examples waits in a file: where it would take more than a fit.
    var spills: Bool { program + trunk + tasks + calibration > joint && streamedCalibration < calibration }
    var hierarchical: Int64 { program + model + activations }
    /// A merge layer by layer of a streamed model.
    var streamedLayerwise: Int64 { program + tasks + streamedCalibration }

    /// What the merge takes with the whole model in memory.
    func needed(_ settings: ResolvedSettings) -> Int64 {
        let isLayerwise = MergeMethods.implementation(of: settings.method) is any LayerwiseMethod.Type
        guard settings.method.isLearned else { return isLayerwise ? max(scoring, layerwise) : scoring }
        if settings.strategy == .hierarchical { return hierarchical }
        return calibratesAnyway(settings) ? max(joint, layerwise) : joint
    }

    /// Whether a fit is told to start from a calibration.
    private func calibratesAnyway(_ settings: ResolvedSettings) -> Bool {
        settings.method == .supermerge && settings.strategy != .hierarchical
            && [.calibrated, .correction].contains(settings.start)
    }

    /// Whether layers are solved for.
    func solves(_ settings: ResolvedSettings) -> Bool {
        MergeMethods.implementation(of: settings.method) is any LayerwiseMethod.Type || calibratesAnyway(settings)
    }

    /// Throws where the largest segment of a streamed model does not fit into the plan's memory: `segment` are its
    /// bytes. What the libraries take is not counted against a small limit.
    func check(_ segment: Int64, _ settings: ResolvedSettings) throws {
        let resident = settings.strategy == .hierarchical ? 0 : tasks
        let least = max(segment + resident, solves(settings) ? streamedLayerwise - program : 0)
        guard Self.isEnforced, least > settings.memory else { return }
        throw MergeError.base(
            "memory is too small: \(Self.text(settings.memory)) does not hold even one segment of the model; the merge "
                + "needs about \(Self.text(least + program)), so set memory to at least that")
    }

    /// Off in tests that stream models smaller than any limit.
    @TaskLocal static var isEnforced = true

    init(_ plan: MergePlan, _ graph: ExportedGraph, _ layers: [Layer], _ models: [TaskModel]) {
        trunk = layers.reduce(Int64(0)) { $0 + 4 * Int64($1.elementCount) }
        let largest = layers.map { 4 * Int64($0.elementCount) }.max() ?? 0
        model = trunk * (models.count > 1 ? 2 : 1) + largest
        let choices = models.compactMap { $0.choiceCount }.max() ?? 1
        length = models.map(\.longestInput).max() ?? 1
        rows = plan.settings.batch * choices
        activations = graph.body.tensors.values.reduce(0) {
            $0 + Self.bytes($1, batch: rows, length: length)
        }
        let outputs = graph.outputs.compactMap { output -> TensorMeta? in
            guard case .value(let name) = output else { return nil }
            return graph.body.tensors[name]
        }
        let logits = outputs.first.map { Self.bytes($0, batch: 1, length: length) } ?? 0
        scoredRows = Scorer.batch(logits: Int(logits / 4))
        let embeddings = graph.embeddings
        let sums = layers.filter {
            $0.shape.count > 1 && embeddings.isDisjoint(with: $0.names)
        }.map { layer in
            let rows = Int64(layer.shape[0])
            let columns = Int64(layer.elementCount) / max(1, rows)
            // Half a Gram matrix and the right side in float64; weights, targets and solution in float32.
            return 4 * columns * (columns + 512) + 8 * rows * columns + 4 * 5 * rows * columns
        }
        let returned = Set(
            graph.outputs.compactMap { output -> String? in if case .value(let name) = output { name } else { nil } })
        let widest =
            graph.body.tensors.filter { !returned.contains($0.key) }
            .map { Self.bytes($0.value, batch: 1, length: length) }.max() ?? 0
        let examples = models.reduce(Int64(0)) { $0 + Int64($1.validation?.entries.first?.shape.first ?? 0) }
        // The widest value in one of the two models, and what goes round it in both.
        calibration = (sums.max() ?? 0) + 2 * widest * examples
        // An embedding is read and not solved for; the values of one batch on their way through a layer.
        let passed = Int64(max(1, Calibration.mostTokens / max(1, length)))
        streamedCalibration = max(sums.max() ?? 0, largest / 2) + 8 * widest * min(passed, max(1, examples))
        for task in models {
            tasks += task.validation?.entries.reduce(0) { $0 + Int64($1.bytes.count) } ?? 0
            tasks += task.head.compactMap { task.checkpoint.entry($0) }.reduce(0) { $0 + 4 * Int64($1.elementCount) }
            guard plan.settings.loss(of: task.source.settings.objective) != .labels else { continue }
            guard task.choiceCount == nil else { continue }
            let examples = task.validation?.entries.first?.shape.first ?? 0
            tasks += logits * Int64(1 + plan.settings.mixup) * Int64(examples)
        }
    }

    /// Why `start: auto` does not calibrate; nil where it may.
    func uncalibrated(_ settings: MergeSettings) -> String? {
        let needed = joint > settings.memory ? streamedLayerwise : layerwise
        guard settings.calibrates, settings.start == .auto, needed > settings.memory else { return nil }
        return
            "calibration takes about \(Self.text(needed)), more than the \(Self.text(settings.memory)) of memory"
    }

    /// Bytes of a value that grows with the batch; parameters and constants do not. The first free axis is the batch's,
    /// and any other one that of `length` tokens.
    private static func bytes(_ value: TensorMeta, batch: Int, length: Int) -> Int64 {
        guard value.shape.contains(nil) else { return 0 }
        let free = value.shape.count { $0 == nil } - 1
        let lengths = value.shape.compactMap(\.self) + [Int](repeating: length, count: free)
        return lengths.reduce(4 * Int64(batch)) { product, length in
            let (next, overflow) = product.multipliedReportingOverflow(by: Int64(length))
            return overflow ? .max / 1024 : next
        }
    }

    /// A size for people.
    static func text(_ bytes: Int64) -> String {
        let unit = bytes < 1 << 30 ? ("MiB", 20) : ("GiB", 30)
        let tenths = (bytes * 10) >> Int64(unit.1)
        return "\(tenths / 10).\(tenths % 10) \(unit.0)"
    }
}

extension ExportedGraph {
    /// Names of the parameters that rows are looked up in.
    fileprivate var embeddings: Set<String> {
        let read = body.nodes.filter { $0.target.contains("embedding") }.flatMap { node in
            node.arguments.compactMap { argument -> String? in
                if case .value(let name) = argument.value { name } else { nil }
            }
        }
        let names = Set(read)
        return Set(inputs.filter { $0.kind == .parameter && $0.value.map(names.contains) == true }.map(\.name))
    }
}

extension TaskModel {
    /// The longest axis behind the examples' of an integer input: its tokens. 1 where there is none.
    fileprivate var longestInput: Int {
        let entries = validation?.entries ?? []
        return entries.filter { !$0.dtype.isFloatingPoint && $0.name != "labels" }.compactMap { $0.shape.last }.max()
            ?? 1
    }
}

extension StrategyChoice {
    /// What the settings say; `auto` is decided by the estimate.
    init(for plan: MergePlan, _ estimate: MemoryEstimate) {
        let (needed, limit) = (MemoryEstimate.text(estimate.joint), MemoryEstimate.text(plan.settings.memory))
        switch plan.settings.strategy {
        case .auto where estimate.joint <= plan.settings.memory:
            self.init(
                strategy: .incremental,
                reason:
                    "a fit of all \(plan.tasks.count) tasks at once takes about \(needed), within the \(limit) of "
                    + "memory"
            )
        case .auto:
            self.init(
                strategy: .hierarchical,
                reason:
                    "a fit of all \(plan.tasks.count) tasks at once takes about \(needed), more than the \(limit) of "
                    + "memory; as a tree about \(MemoryEstimate.text(estimate.hierarchical))")
        case let strategy:
            self.init(strategy: strategy, reason: "strategy is set to \(strategy.rawValue)")
        }
    }
}
