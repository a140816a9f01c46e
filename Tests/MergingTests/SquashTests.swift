import Testing
import WorkerProtocol

@testable import Merging

@Suite struct SquashTests {
    private let all = MergeSettings.Squash.allCases

    @Test(arguments: MergeSettings.Squash.allCases, [0.1, 0.3, 0.9])
    func theWeightOfACoefficientGivesItBack(squash: MergeSettings.Squash, coefficient: Double) {
        #expect(abs(squash.coefficient(squash.weight(forCoefficient: coefficient)) - coefficient) < 1e-12)
        #expect(abs(squash.gain(squash.weight(forGain: 2 * coefficient)) - 2 * coefficient) < 1e-12)
    }

    @Test(arguments: MergeSettings.Squash.allCases)
    func slopesAreDerivatives(squash: MergeSettings.Squash) {
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
        #expect(MergeSettings.Squash.clamp.coefficient(-2) == 0 && MergeSettings.Squash.clamp.coefficient(2) == 1)
        #expect(MergeSettings.Squash.clamp.gain(-2) == 0 && MergeSettings.Squash.clamp.gain(2) == 2)
        #expect(MergeSettings.Squash.identity.coefficient(-2) == -2 && MergeSettings.Squash.identity.gain(2) == 3)
    }
}
