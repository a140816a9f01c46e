import Testing
import WorkerProtocol

@testable import Merging

@Suite struct FitScheduleTests {
    private func settings(steps: Int, arrivalSteps: Int) -> MergeSettings {
        var settings = MergeSettings()
        (settings.steps, settings.arrivalSteps, settings.learningRate) = (steps, arrivalSteps, 0.5)
        return settings
    }

    @Test func aWholeFitKeepsItsStepSize() {
        let schedule = FitSchedule(whole: settings(steps: 100, arrivalSteps: 20))
        #expect(schedule.steps == 100)
        #expect([0, 50, 99, 200].map(schedule.rate) == [0.5, 0.5, 0.5, 0.5])
    }

    @Test func anArrivalsStepsShrinkToNothing() {
        let schedule = FitSchedule(arrival: settings(steps: 100, arrivalSteps: 20))
        #expect(schedule.steps == 20)
        #expect([0, 10, 20, 21].map(schedule.rate) == [0.5, 0.25, 0, 0])
    }

    @Test(arguments: [(100, 0), (100, 100), (100, 200), (0, 20)])
    func anArrivalIsNeverLongerThanAWholeFit(steps: Int, arrivalSteps: Int) {
        let settings = settings(steps: steps, arrivalSteps: arrivalSteps)
        #expect(FitSchedule(arrival: settings) == FitSchedule(whole: settings))
    }
}
