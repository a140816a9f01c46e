import Daemon
import Testing
import WorkerProtocol

struct GateTests {
    /// Hand-computed: n = 3, lost 3: 2 · (1/8); n = 6, lost 6: 2/64; n = 10, gained 1: 2 · 11/1024; equal: 1.
    @Test(arguments: [
        (0, 0, 1.0), (0, 3, 0.25), (0, 5, 0.0625), (0, 6, 0.03125), (1, 9, 0.021484375), (2, 8, 0.109375), (5, 5, 1.0),
        (8, 2, 0.109375),
    ])
    func pairedTestAgreesWithHandComputation(gained: Int, lost: Int, expected: Double) {
        #expect(abs(McNemar.pValue(gained: gained, lost: lost) - expected) < 1e-12)
    }

    @Test func pairedTestSurvivesThousandsOfExamples() {
        let p = McNemar.pValue(gained: 20_000, lost: 20_400)
        #expect(p > 0.04 && p < 0.05)
        #expect(McNemar.pValue(gained: 0, lost: 100_000) == 0)
    }

    private func score(_ value: Double, loss: Double = 0.5) -> Score {
        Score(examples: 100, loss: loss, metric: "accuracy", value: value)
    }

    private func judge(
        deployed: Double?, merged: Score, base: Double = 0.5, paired: PairedCounts? = nil, limit: Double? = nil
    ) -> GateVerdict {
        var task = TaskResult(task: "a", fitted: 10)
        task.base = score(base)
        task.deployed = deployed.map { score($0) }
        task.merged = merged
        task.paired = paired
        let source = TaskSource(
            name: "a", directory: "/a", files: [], digest: "d", settings: TaskSettings(maximumRegression: limit))
        return Gate(maximumRegression: 0.02).judge(MergeResult(tasks: [task]), tasks: [source], requiresScores: true)
    }

    @Test func aRealFallStopsTheCandidate() {
        let verdict = judge(deployed: 0.9, merged: score(0.8), paired: PairedCounts(gained: 1, lost: 11))
        #expect(!verdict.isPassed)
        #expect(verdict.tasks[0].pValue.map { abs($0 - 2 * 13.0 / 4096) < 1e-12 } == true)
        #expect(verdict.message.contains("0.9") && verdict.message.contains("0.8"))
    }

    @Test func aFallThatMayBeChancePasses() {
        #expect(judge(deployed: 0.9, merged: score(0.87), paired: PairedCounts(gained: 2, lost: 5)).isPassed)
    }

    @Test func aSmallFallPassesHoweverCertain() {
        #expect(judge(deployed: 0.9, merged: score(0.885), paired: PairedCounts(gained: 0, lost: 30)).isPassed)
    }

    /// A perplexity is worse the larger it is; its fall is the share by which it rose.
    @Test(arguments: [(10.0, 10.1, true), (10, 10.3, false), (10, 5, true), (2.0, 2.05, false)])
    func aPerplexityMayRiseByAShare(deployed: Double, merged: Double, passes: Bool) {
        func score(_ value: Double) -> Score {
            Score(examples: 100, loss: 1, metric: Metric.perplexity.rawValue, value: value)
        }
        var task = TaskResult(task: "a", fitted: 10)
        task.base = score(20)
        task.deployed = score(deployed)
        task.merged = score(merged)
        let gate = Gate(maximumRegression: 0.02)
        let verdict = gate.judge(MergeResult(tasks: [task]), tasks: [], requiresScores: true)
        #expect(verdict.isPassed == passes)
        #expect(passes || verdict.message.contains("rose from"))
        task.deployed = nil
        #expect(gate.judge(MergeResult(tasks: [task]), tasks: [], requiresScores: true).isPassed)
        task.base = score(merged / 2)
        #expect(!gate.judge(MergeResult(tasks: [task]), tasks: [], requiresScores: true).isPassed)
    }

    /// Exact McNemar can't go below 0.05 with five examples: 100 % → 0 % would be called chance.
    @Test func aFallOnTooFewExamplesForAPairedTestStopsTheCandidate() {
        let merged = Score(examples: 5, loss: 0.5, metric: "accuracy", value: 0)
        let verdict = judge(deployed: 1, merged: merged, paired: PairedCounts(gained: 0, lost: 5))
        #expect(!verdict.isPassed)
        #expect(verdict.tasks[0].pValue == nil)
        #expect(verdict.message.contains("too few"))
    }

    /// Four held out of sixteen: one of them lost is chance, nine of all sixteen are not.
    @Test(arguments: [(1, true), (9, false)])
    func withFewHeldOutAllExamplesArePaired(lost: Int, passes: Bool) {
        let merged = Score(examples: 4, loss: 0.5, metric: "accuracy", value: 0.75)
        let verdict = judge(
            deployed: 1, merged: merged, paired: PairedCounts(gained: 0, lost: lost, examples: 16))
        #expect(verdict.isPassed == passes)
        #expect(passes || verdict.message.contains("4 examples, p = 0.003906 over all 16"))
    }

    /// Both models were fitted to the other fifteen, on which an overfitted one is as good: five lost of those held out
    /// count, though of twenty they may be chance.
    @Test(arguments: [(1, true), (2, false), (5, false)])
    func whatIsLostOfTheFewHeldOutCounts(lost: Int, passes: Bool) {
        let merged = Score(examples: 5, loss: 0.5, metric: "accuracy", value: 1 - Double(lost) / 5)
        let verdict = judge(
            deployed: 1, merged: merged,
            paired: PairedCounts(gained: 0, lost: lost, examples: 20, lostHeldOut: lost))
        #expect(verdict.isPassed == passes)
        #expect(passes || verdict.message.contains("over all 20, \(lost) of those held out lost"))
    }

    @Test func aMetricThatIsNoShareHasATestOfItsOwn() {
        let counts = PairedCounts(gained: 3, lost: 4, examples: 100, p: 0.001)
        #expect(!judge(deployed: 0.9, merged: score(0.5), paired: counts).isPassed)
        #expect(judge(deployed: 0.9, merged: score(0.5), paired: PairedCounts(gained: 0, lost: 40, p: 0.2)).isPassed)
    }

    @Test func withoutPairsTheFallAloneCounts() {
        #expect(!judge(deployed: 0.9, merged: score(0.87)).isPassed)
        #expect(judge(deployed: 0.9, merged: score(0.88)).isPassed)
    }

    @Test func theTasksOwnLimitGoesFirst() {
        #expect(judge(deployed: 0.9, merged: score(0.8), limit: 0.2).isPassed)
        #expect(!judge(deployed: 0.9, merged: score(0.89), limit: 0).isPassed)
    }

    @Test func aNewTaskMustBeatTheBase() {
        #expect(judge(deployed: nil, merged: score(0.6)).isPassed)
        #expect(!judge(deployed: nil, merged: score(0.4)).isPassed)
        #expect(!judge(deployed: nil, merged: score(0.5)).isPassed)
    }

    /// Labels at random came in so: what is learned from them lowers the loss of being wrong, and nothing else.
    @Test(arguments: [(100, 0.5, false), (100, 1.0, true), (4, 0.5, true)])
    func aLowerLossAloneIsNotBetterWhereTheMetricCanTell(examples: Int, value: Double, passes: Bool) {
        var task = TaskResult(task: "a", fitted: 10)
        task.base = Score(examples: examples, loss: 0.5, metric: "accuracy", value: value)
        task.merged = Score(examples: examples, loss: 0.4, metric: "accuracy", value: value)
        let verdict = Gate(maximumRegression: 0.02).judge(
            MergeResult(tasks: [task]), tasks: [], requiresScores: true)
        #expect(verdict.isPassed == passes)
    }

    @Test func aScoreThatIsNotANumberStopsTheCandidate() {
        #expect(!judge(deployed: nil, merged: score(.nan)).isPassed)
        #expect(!judge(deployed: 0.1, merged: score(0.9, loss: .infinity)).isPassed)
    }

    @Test func agreementIsSaidToBeThat() {
        func result(deployed: Double?, merged: Double) -> GateVerdict {
            func score(_ value: Double) -> Score { Score(examples: 50, loss: 0.1, metric: "agreement", value: value) }
            var task = TaskResult(task: "a", fitted: 10)
            (task.base, task.deployed, task.merged) = (score(0.5), deployed.map(score), score(merged))
            task.paired = deployed.map { _ in PairedCounts(gained: 0, lost: 20) }
            return Gate(maximumRegression: 0.02).judge(MergeResult(tasks: [task]), tasks: [], requiresScores: true)
        }
        let fallen = result(deployed: 0.9, merged: 0.5)
        #expect(!fallen.isPassed)
        #expect(fallen.message.contains("a fell from 0.9 to 0.5 agreement with its own checkpoint"))
        #expect(result(deployed: nil, merged: 0.5 - 0.1).message.contains("agreement with its own checkpoint"))
        let passed = result(deployed: 0.9, merged: 0.9)
        #expect(passed.isPassed && passed.message == "passed, judged by agreement with its own checkpoint: a")
    }

    @Test func withoutValidationNothingIsJudged() {
        let verdict = Gate(maximumRegression: 0.02).judge(
            MergeResult(tasks: [TaskResult(task: "a", fitted: 0)]), tasks: [], requiresScores: false)
        #expect(verdict.isPassed)
        #expect(!verdict.isJudged)
    }

    @Test func aTaskWithoutAScoreStopsACandidateThatLearned() {
        let gate = Gate(maximumRegression: 0.02)
        let source = TaskSource(name: "a", directory: "/a", files: [], digest: "d", settings: TaskSettings())
        for result in [MergeResult(tasks: [TaskResult(task: "a", fitted: 9)]), MergeResult(tasks: [])] {
            let verdict = gate.judge(result, tasks: [source], requiresScores: true)
            #expect(!verdict.isPassed)
            #expect(verdict.message.contains("a has no score"))
        }
    }
}
