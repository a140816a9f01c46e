import Testing
import WorkerProtocol

@testable import Merging

@Suite struct ActivationTests {
    private let all = MergeSettings.Activation.allCases

    @Test(arguments: MergeSettings.Activation.allCases, [0.1, 0.3, 0.9])
    func theWeightOfACoefficientGivesItBack(squash: MergeSettings.Activation, coefficient: Double) {
        #expect(abs(squash.coefficient(squash.weight(forCoefficient: coefficient)) - coefficient) < 1e-12)
        #expect(abs(squash.gain(squash.weight(forGain: 2 * coefficient)) - 2 * coefficient) < 1e-12)
    }

    @Test(arguments: MergeSettings.Activation.allCases)
    func slopesAreDerivatives(squash: MergeSettings.Activation) {
        let width = 1e-6
        for weight in stride(from: -1.55, through: 1.6, by: 0.3) {
            let rise = squash.coefficient(weight + width) - squash.coefficient(weight - width)
            #expect(abs(squash.slope(weight) - rise / (2 * width)) < 1e-6, "coefficient at \(weight)")
            let gained = squash.gain(weight + width) - squash.gain(weight - width)
            #expect(abs(squash.gainSlope(weight) - gained / (2 * width)) < 1e-6, "gain at \(weight)")
        }
    }

    @Test func whatIsOutOfReachStartsWhereItCanMove() {
        for value in [-5.0, -0.5, 1, 5] {
            for squash in all {
                #expect(squash.slope(squash.weight(forCoefficient: value)) > 0, "\(squash) of \(value)")
                #expect(squash.gainSlope(squash.weight(forGain: value)) > 0, "\(squash) of \(value)")
            }
        }
    }

    @Test func boundsAreThoseOfTheForm() {
        #expect(
            MergeSettings.Activation.clamp.coefficient(-2) == 0 && MergeSettings.Activation.clamp.coefficient(2) == 1)
        #expect(MergeSettings.Activation.clamp.gain(-2) == 0 && MergeSettings.Activation.clamp.gain(2) == 2)
        #expect(
            MergeSettings.Activation.identity.coefficient(-2) == -2 && MergeSettings.Activation.identity.gain(2) == 3)
    }
}
