import Testing
import WorkerProtocol

@testable import Merging

@Suite struct FitScheduleTests {
    private func rates(_ schedule: MergeSettings.Schedule, steps: Int, at places: [Int]) -> [Double] {
        var settings = MergeSettings()
        (settings.steps, settings.schedule, settings.learningRate) = (steps, schedule, 0.5)
        return places.map(FitSchedule(ResolvedSettings(settings)).rate)
    }

    @Test func aConstantStepSizeStays() {
        #expect(rates(.constant, steps: 20, at: [0, 10, 20, 21]) == [0.5, 0.5, 0.5, 0.5])
    }

    @Test func aFallingOneEndsAtNothing() {
        #expect(rates(.falling, steps: 20, at: [0, 10, 20, 21]) == [0.5, 0.25, 0, 0])
        #expect(rates(.falling, steps: 0, at: [0]) == [0.5])
    }

    @Test func anArrivalTakesAShareOfTheStepsAndFalls() {
        var settings = MergeSettings()
        (settings.steps, settings.arrivalShare, settings.arrivalLearningRate) = (301, 0.25, 0.22)
        let schedule = FitSchedule(arrival: ResolvedSettings(settings))
        #expect(schedule.steps == 76)
        #expect(schedule.momentum < FitSchedule(ResolvedSettings(settings)).momentum)
        #expect([0, 38, 76].map(schedule.rate) == [0.22, 0.11, 0])
        settings.arrivalShare = 0.05
        #expect(FitSchedule(arrival: ResolvedSettings(settings)).steps == MergeSettings.fewestStepsOfArrival)
        settings.steps = MergeSettings.fewestStepsOfArrival
        #expect(FitSchedule(arrival: ResolvedSettings(settings)) == FitSchedule(ResolvedSettings(settings)))
        settings.arrivalShare = 1
        #expect(FitSchedule(arrival: ResolvedSettings(settings)) == FitSchedule(ResolvedSettings(settings)))
    }
}
