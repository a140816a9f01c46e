import Daemon
import Testing
import WorkerProtocol

/// The gate's correction for the number of tasks.
@Suite struct HolmTests {
    /// Hand-computed: sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, never below the one before.
    @Test(arguments: [
        ([0.04, 0.01, 0.03, 0.02], [0.06, 0.04, 0.06, 0.06]), ([0.5, 0.6], [1, 1]), ([0.03], [0.03]), ([], []),
        ([0.01, 0.01], [0.02, 0.02]),
    ])
    func adjustedValuesAreThoseByHand(pValues: [Double], expected: [Double]) {
        let adjusted = Holm.adjusted(pValues)
        #expect(adjusted.count == expected.count)
        #expect(zip(adjusted, expected).allSatisfy { abs($0 - $1) < 1e-12 }, "\(adjusted)")
    }

    private func verdict(_ counts: [(gained: Int, lost: Int)], level: Double = 0.05, examples: Int = 100) -> GateVerdict
    {
        let tasks = counts.enumerated().map { index, count in
            var task = TaskResult(task: "task-\(index)", fitted: 10)
            let before = 0.8
            let after = before + Double(count.gained - count.lost) / Double(examples)
            task.base = Score(examples: examples, loss: 1, metric: "accuracy", value: 0.3)
            task.deployed = Score(examples: examples, loss: 0.5, metric: "accuracy", value: before)
            task.merged = Score(examples: examples, loss: 0.5, metric: "accuracy", value: after)
            task.paired = PairedCounts(gained: count.gained, lost: count.lost)
            return task
        }
        return Gate(maximumRegression: 0.02, familyWiseLevel: level)
            .judge(MergeResult(tasks: tasks), tasks: [], requiresScores: true)
    }

    /// 1 gained and 8 lost: p = 20/512 = 0.039. Alone it counts, among 20 tasks it does not.
    @Test func aFallThatCountsAloneIsChanceAmongMany() throws {
        #expect(!verdict([(1, 8)]).isPassed)
        let many = verdict([(1, 8)] + Array(repeating: (2, 2), count: 19))
        #expect(many.isPassed)
        let record = try #require(many.record)
        #expect(record.familyWiseLevel == 0.05 && record.tests.count == 20)
        let test = try #require(record.tests.first { $0.task == "task-0" })
        #expect(abs(test.p - 20.0 / 512) < 1e-12 && abs(test.adjustedP - 20 * 20.0 / 512) < 1e-12)
        #expect(!verdict([(1, 8)] + Array(repeating: (2, 2), count: 19), level: 0.8).isPassed)
    }

    @Test func aRealFallAmongManyStopsTheCandidate() {
        let verdict = verdict([(0, 20)] + Array(repeating: (2, 2), count: 19))
        #expect(!verdict.isPassed && verdict.message.contains("for 20 tests"), "\(verdict.message)")
    }

    /// Tasks of which each loses and gains examples by chance alone: the share of good candidates that are refused.
    @Test func goodCandidatesAreSeldomRefused() {
        var random = SplitMix(state: 7)
        var refused = (corrected: 0, alone: 0)
        let rounds = 400
        for _ in 0..<rounds {
            let counts = (0..<20).map { _ in
                let changed = 12
                let gained = (0..<changed).count { _ in random.next() & 1 == 0 }
                return (gained: gained, lost: changed - gained)
            }
            if !verdict(counts).isPassed { refused.corrected += 1 }
            if counts.contains(where: { !verdict([$0]).isPassed }) { refused.alone += 1 }
        }
        #expect(Double(refused.corrected) / Double(rounds) < 0.06, "\(refused)")
        #expect(Double(refused.alone) / Double(rounds) > 0.25, "what the correction is for: \(refused)")
    }
}

/// SplitMix64, so that the rounds are the same at every run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
