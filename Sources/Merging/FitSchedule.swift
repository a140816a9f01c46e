internal import WorkerProtocol

/// How many steps a fit may take, and how large they are.
struct FitSchedule: Hashable, Sendable {
    let steps: Int
    let learningRate: Double
    /// Whether the step size falls to 0 over `steps`, which lets a short fit settle; else it stays.
    let falls: Bool

    /// From `scale`: as many steps as the settings allow, of one size, ended by `patience`.
    init(whole settings: MergeSettings) {
        steps = settings.steps
        learningRate = settings.learningRate
        falls = false
    }

    /// From a deployed release: `arrivalSteps`, falling. Where these are 0 or no fewer than a whole fit's, it is one.
    init(arrival settings: MergeSettings) {
        falls = settings.arrivalSteps > 0 && settings.arrivalSteps < settings.steps
        steps = falls ? settings.arrivalSteps : settings.steps
        learningRate = settings.learningRate
    }

    /// Step size of the update after `step` others.
    func rate(at step: Int) -> Double {
        falls ? learningRate * max(0, 1 - Double(step) / Double(max(1, steps))) : learningRate
    }
}
