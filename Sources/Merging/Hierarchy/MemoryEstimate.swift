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

    /// The trunk's parameters in float32.
    private(set) var trunk: Int64 = 0
    /// Rows that the graph is given in a step of one task, and the longest of their free axes.
    private(set) var rows = 1
    private(set) var length = 1

    /// What only runs a merged model.
    var scoring: Int64 { program + trunk + tasks }
    var joint: Int64 { program + model + activations + tasks }
    var hierarchical: Int64 { program + model + activations }

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
        for task in models {
            tasks += task.validation?.entries.reduce(0) { $0 + Int64($1.bytes.count) } ?? 0
            tasks += task.head.compactMap { task.checkpoint.entry($0) }.reduce(0) { $0 + 4 * Int64($1.elementCount) }
            guard plan.settings.loss(of: task.source.settings.objective) != .labels else { continue }
            guard task.choiceCount == nil else { continue }
            let examples = task.validation?.entries.first?.shape.first ?? 0
            tasks += logits * Int64(1 + plan.settings.mixup) * Int64(examples)
        }
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
                    "a fit of all \(plan.tasks.count) tasks at once takes about \(needed), within the \(limit) of memory"
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
