import Safetensors
import Testing
import WorkerProtocol

@testable import Merging

/// Which weights a fit keeps.
@Suite struct FitStateTests {
    private func state() -> FitState {
        let entry = TensorEntry(name: "weight", dtype: .f32, shape: [2], bytes: 0..<8)
        return FitState(
            MergingWeights(taskCount: 1, layers: [Layer(entry, .tensor)], coefficient: 0.3, squash: .tanh))
    }

    private func step(_ state: inout FitState) {
        state.update(gradient: [1], FitSchedule(ResolvedSettings(MergeSettings())))
    }

    /// Adam's second step against a slope that turned: β₂ cancels out, β₁ does not.
    @Test(arguments: [(0.9, -0.0947368421), (0.5, -0.0666666667)])
    func momentumSaysHowSoonItTurnsRound(momentum: Double, expected: Double) {
        var adam = Adam(count: 1)
        var values = [0.0]
        for slope in [1.0, -1] { adam.update(&values, gradient: [slope], learningRate: 0.1, momentum: momentum) }
        #expect(abs(values[0] - expected) < 1e-7)
    }

    @Test func anArrivalTurnsSooner() {
        var settings = MergeSettings()
        settings.arrivalLearningRate = settings.learningRate
        let states = [FitSchedule(ResolvedSettings(settings)), FitSchedule(arrival: ResolvedSettings(settings))].map {
            schedule in
            var state = state()
            for slope in [1.0, -1] { state.update(gradient: [slope], schedule) }
            return state
        }
        #expect(states[0].optimizer.firstMoments[0] < 0 && states[1].optimizer.firstMoments[0] < -0.2)
        #expect(states[1].weights.values[0] > states[0].weights.values[0])
    }

    @Test func aLossThatIsNoNumberIsNeverTheBest() {
        var state = state()
        state.record(heldOut: 1, lastLoss: nil)
        let best = state.best
        for loss in [Double.nan, .infinity, 2] {
            step(&state)
            state.record(heldOut: loss, lastLoss: 1)
        }
        #expect(state.best == best && state.bestStep == 0 && state.bestLoss == 1)
        #expect(state.looksWithoutBetter == 3)
        #expect(state.curve.map(\.heldOut) == [1, nil, nil, 2])
    }

    @Test func withoutHeldOutExamplesTheLatestIsTheBest() {
        var state = state()
        state.record(heldOut: nil, lastLoss: nil)
        #expect(state.curve.isEmpty)
        step(&state)
        state.record(heldOut: nil, lastLoss: 4)
        #expect(state.best == state.weights.values && state.bestStep == 1)
        #expect(state.curve.map(\.loss) == [4])
    }
}
