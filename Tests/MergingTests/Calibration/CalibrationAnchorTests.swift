import Files
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// What calibration holds the layers' weights to.
@Suite(.serialized)
struct CalibrationAnchorTests {
    private func settings(_ method: MergeSettings.Method) throws -> MergeSettings {
        var settings = try Fixture.settings()
        settings.method = method
        settings.scale = method.usualScale
        return settings
    }

    @Test func isotropicMatricesEqualThoseOfIsoCTS() throws {
        try Fixture.temporarily { directory in
            let plan = try Fixture.plan(settings(.isoCTS), in: directory + "/static")
            _ = try MergeRun(plan, report: { _ in }).run()
            let merged = try Checkpoint(directory: plan.output)
            let context = try MergeContext(Fixture.plan(settings(.calibrate), in: directory + "/anchored"))
            let parameters = try ModelParameters(context)
            let start = MergingWeights(
                method: .calibrate, taskCount: context.tasks.count, layers: context.layers, scale: 0.3)
            try parameters.merge(context.vectors, start)
            let before = try parameters.tensors.map { try $0.doubles() }
            #expect(CalibrationAnchor.candidates(context.vectors) == [.taskVectors, .isotropic])
            let all = Array(context.layers.indices)
            let weights = try CalibratedWeights(parameters, scratch: directory)
            #expect(try CalibrationAnchor.taskVectors.fill(all, weights, context.vectors).isEmpty)
            let filled = try CalibrationAnchor.isotropic.fill(all, weights, context.vectors)
            #expect(!filled.isEmpty)
            for layer in all {
                let got = try parameters.tensors[layer].doubles()
                guard filled.contains(layer) else {
                    #expect(context.layers[layer].shape.count != 2 && got == before[layer])
                    continue
                }
                let wanted = try merged.tensor(context.layers[layer].name).doubles()
                #expect(zip(got, wanted).allSatisfy { abs($0 - $1) < 1e-5 }, "\(context.layers[layer].name)")
            }
        }
    }

    @Test func theNoteSaysWhatEachAnchorCameTo() throws {
        try Fixture.temporarily { directory in
            var settings = try settings(.calibrate)
            (settings.holdout, settings.ridge) = (0.25, 0.01)
            let result = try MergeRun(Fixture.plan(settings, in: directory), report: { _ in }).run()
            let note = try #require(result.notes.first { $0.hasPrefix("calibration solved for") })
            #expect(note.contains(" at 0.01 from the task vectors, ") && note.hasSuffix(" from iso-cts"), "\(note)")
        }
    }

    /// Gaps of 0.1 and 0.3: variance 0.02, so that their mean's is 0.01.
    @Test func aCorrectionHasToBeBetterByMoreThanAStandardError() {
        func scores(_ losses: [Double]) -> [HeldOutScore] {
            losses.map { HeldOutScore(task: "t", loss: $0, metric: "accuracy", value: 0) }
        }
        let margin = MergeRun.standardError(scores([0.5, 0.9]), scores([0.4, 0.6]))
        #expect(abs(margin - 0.1) < 1e-12)
        #expect(MergeRun.standardError(scores([0.5]), scores([0.4])) == 0)
        #expect(MergeRun.standardError([], []) == 0)
    }
}
