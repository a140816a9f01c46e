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

    private func step(_ state: inout FitState) { state.update(gradient: [1], FitSchedule(MergeSettings())) }

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
