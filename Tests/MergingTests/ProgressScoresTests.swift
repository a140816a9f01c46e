import Testing
import WorkerProtocol

@testable import Merging

/// What a worker tells of a fit while it goes on, and before it begins.
@Suite(.serialized)
struct ProgressScoresTests {
    @Test func everyLookTellsEachTasksHeldOutFigures() throws {
        try Fixture.temporarily { directory in
            var settings = try Fixture.settings()
            settings.holdout = 0.5
            settings.strategy = .joint
            let plan = try Fixture.plan(settings, in: directory)
            var looks: [WorkerEvent.Progress] = []
            let result = try MergeRun(plan) { event in
                if case .progress(let progress) = event, progress.scores != nil { looks.append(progress) }
            }.run()
            #expect(looks.map(\.done) == [5, 10])
            for look in looks {
                let scores = try #require(look.scores)
                #expect(scores.map(\.task) == ["letters", "shapes"] && scores.allSatisfy { $0.metric == "accuracy" })
                // The tasks' weights are 1 and 2.
                let mean = (scores[0].loss + 2 * scores[1].loss) / 3
                #expect(abs(mean - (look.heldOut ?? .nan)) < 1e-9)
            }
            // The kept weights' figures are those of the written candidate, but for its rounding.
            let best = try #require(looks.first { $0.done == result.bestStep }?.scores)
            for (score, task) in zip(best, result.tasks) {
                #expect(abs(score.value - (task.merged?.value ?? .nan)) < 0.1)
            }
        }
    }

    @Test func anEstimateReadsHeadersAndDoesNothing() throws {
        try Fixture.temporarily { directory in
            var settings = try Fixture.settings()
            settings.strategy = .auto
            let plan = try Fixture.plan(settings, in: directory)
            let estimate = try #require(try plan.estimate())
            #expect(estimate.strategy.strategy == .incremental && estimate.memory > 384 << 20)
            let passes = try #require(estimate.passes)
            #expect(passes.backward == 2 * settings.steps && passes.forward >= passes.backward)
            #expect(estimate.newTokens == [:])
            settings.memory = 1 << 20
            let tight = try #require(try Fixture.plan(settings, in: directory).estimate())
            #expect(tight.strategy.strategy == .hierarchical && tight.memory <= estimate.memory)
            settings.method = .average
            #expect(try Fixture.plan(settings, in: directory).estimate() == nil)
            var lost = plan
            lost.base.directory = directory
            #expect(throws: MergeError.self) { try lost.estimate() }
        }
    }

    /// Each token that is written takes a pass: an estimate says how many there may be where a task is judged by texts.
    @Test func anEstimateSaysHowManyTokensAreWritten() throws {
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(Fixture.settings(), in: directory)
            plan.tasks[0].settings = TaskSettings(objective: .languageModeling, metric: .exactMatch)
            plan.tasks[1].settings = TaskSettings(objective: .languageModeling, maximumNewTokens: 12)
            #expect(Generation.newTokens(of: plan.tasks) == [plan.tasks[0].name: TaskSettings.defaultNewTokens])
            plan.tasks[1].settings.metric = .rougeL
            #expect(
                Generation.newTokens(of: plan.tasks)
                    == [plan.tasks[0].name: TaskSettings.defaultNewTokens, plan.tasks[1].name: 12])
        }
    }
}
