internal import Foundation
internal import WorkerProtocol

/// How many steps a fit may take, and how large they are.
struct FitSchedule: Hashable, Sendable {
    let steps: Int
    /// Adam's: see `arrivalMomentum`.
    let momentum: Double
    private let learningRate: Double
    private let schedule: MergeSettings.Schedule

    /// With the large steps of an arrival Adam's usual momentum overshoots: with less of it the held-out loss is lower
    /// at the same cost, in either form. A whole fit at its even rate is not better for it.
    private static let arrivalMomentum = 0.5

    /// A fit from `scale`, or from a release that knows too little.
    init(_ settings: ResolvedSettings) {
        steps = settings.steps
        momentum = Adam.usualMomentum
        learningRate = settings.learningRate
        schedule = settings.schedule
    }

    /// A fit from the weights of a deployed release, most of which are right: a share of the steps, large ones at first
    /// so that the newcomers' weights find their place, falling to 0 so that all of them settle. Where the share is no
    /// fewer steps than a whole fit's, it is one.
    init(arrival settings: ResolvedSettings) {
        guard settings.arrivalSteps < settings.steps else { self = FitSchedule(settings); return }
        steps = settings.arrivalSteps
        momentum = Self.arrivalMomentum
        learningRate = settings.arrivalLearningRate
        schedule = .falling
    }

    /// Step size of the update after `step` others.
    func rate(at step: Int) -> Double {
        let share = min(1, Double(step) / Double(max(1, steps)))
        return switch schedule {
        case .constant: learningRate
        case .falling: learningRate * (1 - share)
        case .cosine: learningRate * (1 + cos(.pi * share)) / 2
        }
    }
}
