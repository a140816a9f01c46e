internal import WorkerProtocol

/// How large the steps of a fit are.
struct FitSchedule: Hashable, Sendable {
    private let steps: Int
    private let learningRate: Double
    private let falls: Bool

    init(_ settings: MergeSettings) {
        steps = settings.steps
        learningRate = settings.learningRate
        falls = settings.schedule == .falling
    }

    /// Step size of the update after `step` others.
    func rate(at step: Int) -> Double {
        falls ? learningRate * max(0, 1 - Double(step) / Double(max(1, steps))) : learningRate
    }
}
