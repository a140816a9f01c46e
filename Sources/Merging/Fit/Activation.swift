internal import Foundation
internal import WorkerProtocol

/// The functions between trained weights and what they do to a merge.
extension MergeSettings.Activation {
    func coefficient(_ weight: Double) -> Double {
        switch self {
        case .tanh: Foundation.tanh(weight)
        case .clamp: min(max(weight, 0), 1)
        case .identity: weight
        }
    }

    /// Of `tanh` and `clamp` between 0 and 2.
    func gain(_ weight: Double) -> Double {
        switch self {
        case .tanh: 1 + Foundation.tanh(weight)
        case .clamp: 1 + min(max(weight, -1), 1)
        case .identity: 1 + weight
        }
    }

    /// A weight with that coefficient, or with the nearest there is, from which a fit can move: under tanh,
    /// coefficients of ±1 and beyond give the weight of ±(1 − 10⁻⁶).
    func weight(forCoefficient coefficient: Double) -> Double {
        switch self {
        case .tanh: Self.inverse(coefficient)
        case .clamp: min(max(coefficient, 0), 1)
        case .identity: coefficient
        }
    }

    /// As `weight(forCoefficient:)`.
    func weight(forGain gain: Double) -> Double {
        switch self {
        case .tanh: Self.inverse(gain - 1)
        case .clamp: min(max(gain - 1, -1), 1)
        case .identity: gain - 1
        }
    }

    /// ∂c/∂w; of `clamp` 0 beyond the bounds and 1 on them.
    func slope(_ weight: Double) -> Double {
        switch self {
        case .tanh: Self.derivative(weight)
        case .clamp: (0...1).contains(weight) ? 1 : 0
        case .identity: 1
        }
    }

    /// ∂g/∂v.
    func gainSlope(_ weight: Double) -> Double {
        switch self {
        case .tanh: Self.derivative(weight)
        case .clamp: (-1...1).contains(weight) ? 1 : 0
        case .identity: 1
        }
    }

    private static func inverse(_ value: Double) -> Double { atanh(min(max(value, -1 + 1e-6), 1 - 1e-6)) }

    private static func derivative(_ weight: Double) -> Double {
        let value = Foundation.tanh(weight)
        return 1 - value * value
    }
}
