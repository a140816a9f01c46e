import Daemon
import Files
import Foundation
import Synchronization
import WorkerProtocol

/// A worker that does what a test says, and remembers the plans that it was given.
final class FakeWorker: MergeWorker {
    private struct State {
        var plans: [MergePlan] = []
        var behaviour: @Sendable (MergePlan) async -> WorkerOutcome
    }
    private let state: Mutex<State>

    init(_ behaviour: @escaping @Sendable (MergePlan) async -> WorkerOutcome = FakeWorker.succeed) {
        state = Mutex(State(behaviour: behaviour))
    }

    var plans: [MergePlan] { state.withLock { $0.plans } }
    var merged: [[String]] { plans.map { $0.tasks.map(\.name) } }

    func behave(_ behaviour: @escaping @Sendable (MergePlan) async -> WorkerOutcome) {
        state.withLock { $0.behaviour = behaviour }
    }

    func merge(_ plan: MergePlan, onEvent: @escaping @Sendable (WorkerEvent) async -> Void) async -> WorkerOutcome {
        let behaviour = state.withLock {
            $0.plans.append(plan)
            return $0.behaviour
        }
        await onEvent(
            .started(.init(tasks: plan.tasks.map(\.name), resumedAt: 0, strategy: Self.choice(plan.settings))))
        await onEvent(.progress(.init(phase: .fitting, done: 1, total: 2, heldOut: 0.4, secondsLeft: 3)))
        return await behaviour(plan)
    }

    func estimate(_ plan: MergePlan) async -> Result<MergeEstimate?, EstimateFailure> {
        guard plan.settings.method.isLearned else { return .success(nil) }
        return .success(MergeEstimate(strategy: Self.choice(plan.settings), memory: 1 << 20))
    }

    /// `auto` is always a tree, as where memory is short.
    static func choice(_ settings: MergeSettings) -> StrategyChoice {
        switch settings.strategy {
        case .auto: StrategyChoice(strategy: .hierarchical, reason: "1.0 GiB is more than 0.5 GiB")
        case let strategy: StrategyChoice(strategy: strategy, reason: "strategy is set to \(strategy.rawValue)")
        }
    }

    /// Writes a candidate in which every task does well.
    static func succeed(_ plan: MergePlan) async -> WorkerOutcome {
        .finished(result(plan, values: [:]))
    }

    /// Writes a candidate in which the tasks named have these accuracies, the others 0.9, over a base of 0.5.
    static func result(_ plan: MergePlan, values: [String: Double]) -> MergeResult {
        // One tensor of two bytes in the safetensors format.
        let header = Array(
            #"{"__metadata__":{"format":"pt"},"w":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}"#.utf8)
        let padded = header + Array(repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
        let length = withUnsafeBytes(of: UInt64(padded.count).littleEndian) { Array($0) }
        let content = length + padded + [0, 0]
        _ = FileManager.default.createFile(atPath: plan.output + "/model.safetensors", contents: Data(content))
        let score = { (value: Double) in Score(examples: 100, loss: 1 - value, metric: "accuracy", value: value) }
        var merged = MergeResult(
            tasks: plan.tasks.map { task in
                var result = TaskResult(task: task.name, fitted: 24)
                result.base = score(0.5)
                result.merged = score(values[task.name] ?? 0.9)
                return result
            })
        merged.strategy = choice(plan.settings)
        merged.outputs = [
            SourceFile(
                name: "model.safetensors", bytes: Int64(content.count), sha256: Digest.sha256(content))
        ]
        return merged
    }
}
