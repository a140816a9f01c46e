import Files
import Foundation
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// Calibrated merges of the tiny fixture, alone and as a fit's start.
@Suite(.serialized)
struct CalibrationRunTests {
    private func settings(_ method: MergeSettings.Method = .supermerge) throws -> MergeSettings {
        var settings = try Fixture.settings()
        settings.method = method
        settings.loss = .distillation
        settings.holdout = 0.25
        settings.steps = 6
        settings.evaluateEvery = 3
        settings.start = .calibrated
        return settings
    }

    private func run(_ plan: MergePlan) throws -> MergeResult { try MergeRun(plan, report: { _ in }).run() }

    /// The mean loss over the tasks on what is held out.
    private func loss(_ result: MergeResult) -> Double {
        result.tasks.compactMap(\.merged?.loss).reduce(0, +) / Double(result.tasks.count)
    }

    @Test func forwardPassesAloneComeNearerToTheCheckpointsThanTaskArithmetic() throws {
        try Fixture.temporarily { directory in
            var plain = try settings(.taskArithmetic)
            plain.scale = 0.3
            let before = try run(Fixture.plan(plain, in: directory + "/plain"))
            var settings = try settings(.calibrate)
            settings.scale = 0.3
            let plan = try Fixture.plan(settings, in: directory + "/calibrated")
            let after = try run(plan)
            #expect(loss(after) < loss(before))
            let passes = try #require(after.passes["calibrating"])
            #expect(passes.forward > 0 && passes.backward == 0)
            #expect(after.outputs.contains { $0.name == Correction.path })
            #expect(after.curve.isEmpty)
        }
    }

    @Test(arguments: [MergeSettings.Method.regMean, .regMeanPlusPlus])
    func averagesByGramMatricesEqualPyTorchs(method: MergeSettings.Method) throws {
        let expected = try ModelFolder(at: Fixture.root).tensors("layerwise.safetensors")
        try Fixture.temporarily { directory in
            var settings = try settings(method)
            settings.holdout = 0
            let plan = try Fixture.plan(settings, in: directory + "/merged")
            let after = try run(plan)
            for (name, content) in try ModelFolder(at: plan.output).tensors() {
                let want = try #require(expected["\(method.rawValue)/\(name)"]).values(Float.self)
                let got = content.values(Float.self)
                #expect(zip(got, want).allSatisfy { abs($0 - $1) < 2e-3 }, "\(name)")
            }
            #expect(after.outputs.contains { $0.name == Correction.path })
            let reproduction = try RecordedRelease.reproduce(RecordedRelease.record(plan, after), plan.output)
            #expect(reproduction.outcome == .same, "\(reproduction.text)")
        }
    }

    /// Linear layers by their inputs, norms' scales by the squares of theirs, and all others by the mean.
    @Test func optimalTaskVectorsEqualPyTorchs() throws {
        let expected = try ModelFolder(at: Fixture.root).tensors("layerwise.safetensors")
        try Fixture.temporarily { directory in
            var settings = try settings(.lot)
            (settings.holdout, settings.scale) = (0, 1.3)
            let plan = try Fixture.plan(settings, in: directory)
            let after = try run(plan)
            let origin = try ModelFolder(at: plan.base.directory).tensors()
            for (name, content) in try ModelFolder(at: plan.output).tensors() {
                let want = try #require(expected["lot/\(name)"]).values(Float.self)
                let start = try #require(origin[name]).values(Float.self)
                let largest = zip(want, start).map { abs($0 - $1) }.max() ?? 0
                let error = zip(content.values(Float.self), want).map { abs($0 - $1) }.max() ?? 0
                #expect(error < 1e-4 * largest, "\(name): \(error) of \(largest)")
            }
            let reproduction = try RecordedRelease.reproduce(RecordedRelease.record(plan, after), plan.output)
            #expect(reproduction.outcome == .same, "\(reproduction.text)")
        }
    }

    /// Layer norms and, as products, RMS norms; not the one in CLIP's graph that no head reads. Calibration leaves all.
    @Test(arguments: ["bert", "clip", "llama", "t5"], [MergeSettings.Method.lot, .calibrate])
    func scalesOfNormsAreSolvedForByOptimalTaskVectorsAlone(family: String, method: MergeSettings.Method) throws {
        try Fixture.temporarily { directory in
            var settings = try ArchitectureFixture.settings()
            (settings.method, settings.strategy, settings.holdout) = (method, .joint, 0)
            let plan = try ArchitectureFixture(family, in: directory, settings: settings).plan
            _ = try run(plan)
            let base = try ModelFolder(at: plan.base.directory).tensors().keys
            let norms = base.filter { $0.lowercased().contains("norm") && $0.hasSuffix("weight") }
            let read = norms.filter { !$0.contains("post_layernorm") }
            let solved = try ModelFolder(at: plan.output).tensors(Correction.path).keys
            #expect(!read.isEmpty && Set(norms.filter(solved.contains)) == Set(method == .lot ? read : []))
        }
    }

    @Test func theScaleOfOptimalTaskVectorsIsTheOneWithTheLowestHeldOutLoss() throws {
        try Fixture.temporarily { directory in
            var settings = try settings(.lot)
            settings.searchesScale = true
            let plan = try Fixture.plan(settings, in: directory + "/searched")
            let found = try run(plan)
            let note = try #require(found.notes.first { $0.hasPrefix("scale ") })
            let scale = try #require(note.split(separator: " ").dropFirst().first.flatMap { Double($0) })
            let reproduction = try RecordedRelease.reproduce(RecordedRelease.record(plan, found), plan.output)
            #expect(reproduction.outcome == .same, "\(reproduction.text)")
            settings.searchesScale = false
            for other in LOT.scales {
                settings.scale = other
                let result = try run(Fixture.plan(settings, in: "\(directory)/\(other)"))
                #expect(loss(result) >= loss(found) - 1e-9, "\(other) beats \(scale)")
                #expect(note.contains(" at \(other)") && (result.outputs == found.outputs) == (other == scale))
            }
        }
    }

    /// The usual λ, where there is nothing to search it on.
    @Test func optimalTaskVectorsNeedNoHeldOutExamples() throws {
        try Fixture.temporarily { directory in
            var settings = try settings(.lot)
            (settings.holdout, settings.searchesScale) = (0, true)
            let searched = try run(Fixture.plan(settings, in: directory + "/1"))
            (settings.searchesScale, settings.scale) = (false, 1.3)
            #expect(try run(Fixture.plan(settings, in: directory + "/2")).outputs == searched.outputs)
        }
    }

    @Test(arguments: [MergeSettings.Method.calibrate, .supermerge], [MergeSettings.Granularity.tensor, .rowColumn])
    func theSameInputsGiveTheSameBytesAndTheRecordGivesThemAgain(
        method: MergeSettings.Method, granularity: MergeSettings.Granularity
    ) throws {
        try Fixture.temporarily { directory in
            var settings = try settings(method)
            settings.granularity = granularity
            let first = try run(Fixture.plan(settings, in: directory + "/1"))
            let plan = try Fixture.plan(settings, in: directory + "/2")
            let second = try run(plan)
            #expect(first.outputs == second.outputs)
            let reproduction = try RecordedRelease.reproduce(RecordedRelease.record(plan, second), plan.output)
            #expect(reproduction.outcome == .same, "\(reproduction.text)")
        }
    }

    @Test func theFitBeginsAtTheCalibratedMerge() throws {
        try Fixture.temporarily { directory in
            var settings = try settings()
            settings.ridge = 0.01
            let fitted = try run(Fixture.plan(settings, in: directory + "/1"))
            settings.method = .calibrate
            settings.scale = try Fixture.settings().scale
            let plan = try Fixture.plan(settings, in: directory + "/2")
            let closed = try run(plan)
            #expect(fitted.start?.start == .calibrated)
            settings.method = .supermerge
            settings.steps = 0
            let unmoved = try run(Fixture.plan(settings, in: directory + "/3"))
            #expect(abs(loss(closed) - loss(unmoved)) < 1e-4, "\(loss(closed)) \(loss(unmoved))")
            #expect(try #require(fitted.curve.first?.heldOut) == unmoved.curve.first?.heldOut)
        }
    }

    @Test func autoSaysWhichStartWonAndWhy() throws {
        try Fixture.temporarily { directory in
            var settings = try settings()
            settings.start = .auto
            let result = try run(Fixture.plan(settings, in: directory))
            let choice = try #require(result.start)
            #expect(choice.reason.contains("held-out loss") && choice.start != .taskVectors)
            #expect(try #require(result.passes["fitting"]).backward >= 2 * 3 * 2)
        }
    }

    /// Two corrections are fitted, and the release has what they come to as one.
    @Test func severalCorrectionsBecomeOne() throws {
        try Fixture.temporarily { directory in
            var settings = try settings()
            (settings.start, settings.granularity) = (.correction, .rowColumn)
            let plan = try Fixture.plan(settings, in: directory + "/two")
            let two = try run(plan)
            #expect(two.notes.count { $0.hasPrefix("calibration solved for") } == 2)
            #expect(two.outputs.count { $0.name.contains("correction") } == 1)
            settings.ridge = 0.1
            let single = try Fixture.plan(settings, in: directory + "/one")
            #expect(try run(single).weights < two.weights)

            var merge = try MergeInProgress(MergeContext(single))
            for folder in [plan.output, single.output] {
                merge.context = try merge.context.adding(Correction(path: folder + "/" + Correction.path))
                merge.weights = merge.weights.adding(coefficient: 0, merge.context.layers)
            }
            for place in merge.weights.values.indices { merge.weights.values[place] = sin(Double(place)) / 2 }
            let parameters = try ModelParameters(merge.context)
            try parameters.merge(merge.context.vectors, merge.weights)
            let before = try parameters.tensors.map { try $0.doubles() }
            try merge.foldCorrections(in: directory)
            #expect(merge.context.vectors.corrections.count == 1)
            try parameters.merge(merge.context.vectors, merge.weights)
            for (before, after) in zip(before, parameters.tensors) {
                #expect(try zip(before, after.doubles()).allSatisfy { abs($0 - $1) < 1e-5 })
            }
        }
    }

    /// 10 and 12 examples: nothing is solved for, and Iso-CTS is what the fit may start from.
    @Test func autoDoesNotCalibrateWithFewExamples() throws {
        try Fixture.temporarily { directory in
            var settings = try settings()
            (settings.start, settings.granularity, settings.loss) = (.auto, .auto, .auto)
            let plan = try Fixture.plan(settings, in: directory + "/1")
            let result = try run(plan)
            let choice = try #require(result.start)
            #expect(choice.reason.contains(" from iso-cts") && choice.start != .calibrated, "\(choice.reason)")
            #expect(!result.notes.contains { $0.contains("calibration solved") })
            #expect(result.form?.granularity == .tensor)
            #expect(try run(Fixture.plan(settings, in: directory + "/2")).outputs == result.outputs)
            let reproduction = try RecordedRelease.reproduce(RecordedRelease.record(plan, result), plan.output)
            #expect(reproduction.outcome == .same, "\(reproduction.text)")
        }
    }

    @Test(arguments: 1...5) func stoppedItGoesOnToTheSameBytes(stop: Int) throws {
        try Fixture.temporarily { directory in
            var settings = try settings()
            settings.start = .auto
            let whole = try run(Fixture.plan(settings, in: directory + "/whole"))
            let plan = try Fixture.plan(settings, in: directory + "/parts")
            var steps = 0
            _ = try? MergeRun(plan) { event in
                if case .progress(let progress) = event, progress.phase == .fitting { steps = progress.done }
            } shouldStop: {
                steps >= stop
            }.run()
            #expect(try run(plan).outputs == whole.outputs)
        }
    }

    @Test func aReleaseWithACorrectionStartsTheNextFit() throws {
        try Fixture.temporarily { directory in
            var settings = try settings()
            settings.strategy = .incremental
            let former = try Fixture.plan(settings, in: directory + "/1")
            let record = try RecordedRelease.record(former, run(former))
            try JSON.encode(record).write(to: URL(fileURLWithPath: former.output + "/release.json"))
            var plan = try Fixture.plan(settings, in: directory + "/2")
            plan.deployed = DeployedSource(record, directory: former.output)
            let result = try run(plan)
            let start = try #require(result.curve.first?.heldOut)
            let end = try #require(record.result.curve.compactMap(\.heldOut).min())
            #expect(abs(start - end) < 1e-4, "\(start) \(end)")
        }
    }

    /// A correction can't be rid of what it owes to a task that has gone.
    @Test func theCorrectionOfAReleaseEndsWithATask() throws {
        try Fixture.temporarily { directory in
            var settings = try settings()
            settings.strategy = .incremental
            let former = try Fixture.plan(settings, in: directory + "/1")
            let record = try RecordedRelease.record(former, run(former))
            var plan = try Fixture.plan(settings, in: directory + "/2")
            plan.deployed = DeployedSource(record, directory: former.output)
            let kept = try run(plan)
            plan = try Fixture.plan(settings, in: directory + "/3")
            plan.deployed = DeployedSource(record, directory: former.output)
            plan.deployed?.record?.tasks[0].digest = "other"
            #expect(try run(plan).weights < kept.weights)
        }
    }
}
