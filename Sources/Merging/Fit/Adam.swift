internal import Foundation

/// Adam (Kingma and Ba, arXiv 1412.6980) on a few thousand numbers in double precision; all but its momentum is its
/// authors'.
struct Adam: Sendable, Hashable {
    var firstMoments: [Double]
    var secondMoments: [Double]
    /// Updates made so far.
    var step = 0

    /// The authors' decay of the first moments (β₁).
    static let usualMomentum = 0.9
    private static let beta2 = 0.999
    private static let epsilon = 1e-8

    init(count: Int) {
        firstMoments = [Double](repeating: 0, count: count)
        secondMoments = firstMoments
    }

    /// Moves `values` one step against `gradient`. `momentum` is the decay of the first moments, the same in every
    /// step.
    mutating func update(
        _ values: inout [Double], gradient: [Double], learningRate: Double, momentum: Double
    ) {
        step += 1
        let correction1 = 1 - pow(momentum, Double(step))
        let correction2 = 1 - pow(Self.beta2, Double(step))
        for index in values.indices {
            let slope = gradient[index]
            firstMoments[index] = momentum * firstMoments[index] + (1 - momentum) * slope
            secondMoments[index] = Self.beta2 * secondMoments[index] + (1 - Self.beta2) * slope * slope
            let denominator = (secondMoments[index] / correction2).squareRoot() + Self.epsilon
            values[index] -= learningRate * (firstMoments[index] / correction1) / denominator
        }
    }
}
