import Releases
import Testing
import WorkerProtocol

@Suite struct ReleaseDiffTests {
    private let old = ReportSamples.record(tasks: ["a", "b", "c"], layers: 8, version: 3)

    @Test func tasksScoresCoefficientsAndFilesAreCompared() throws {
        var new = ReportSamples.record(tasks: ["a", "c", "d"], layers: 8, version: 4)
        new.tasks[1].digest = "new"
        new.settings.learningRate = 0.5
        new.result.tasks[0].merged?.value = 0.25
        let layer = "encoder.layer.1.part0.weight"
        for (name, values) in old.result.coefficients {
            new.result.coefficients[name] = [values[0], values[2], 0]
        }
        new.result.coefficients[layer]?[0] -= 0.5
        new.result.coefficients[layer]?[1] += 0.25
        new.result.outputs = [
            SourceFile(name: "model.safetensors", bytes: 5, sha256: "x"),
            SourceFile(name: "heads/d", bytes: 7, sha256: "y"),
        ]
        let diff = ReleaseDiff(from: old, to: new)
        #expect(diff.before == 3 && diff.after == 4 && !diff.isBaseChanged && diff.settings == ["learning-rate"])
        #expect(
            diff.tasks.map { "\($0.task) \($0.change.rawValue)" } == ["a same", "b removed", "c changed", "d added"])
        #expect(diff.tasks[0].before == 0.7 && diff.tasks[0].after == 0.25 && diff.tasks[0].metric == "accuracy")
        #expect(diff.tasks[1].after == nil && diff.tasks[3].before == nil)
        #expect(diff.coefficients.map { "\($0.layer) \($0.task)" } == ["\(layer) a", "\(layer) c"])
        #expect(
            diff.files.map { "\($0.name) \($0.change.rawValue)" } == ["heads/d added", "model.safetensors changed"])
        #expect(ReleaseDiff(from: old, to: new, most: 1).coefficients.count == 1)
    }

    @Test func aReleaseDiffersInNothingFromItself() {
        let diff = ReleaseDiff(from: old, to: old)
        #expect(diff.settings.isEmpty && diff.coefficients.isEmpty && diff.files.isEmpty)
        #expect(diff.tasks.allSatisfy { $0.change == .same })
    }

    @Test func recordsThatDontFitTrapNobody() {
        var broken = old
        broken.result.coefficients = ["encoder.layer.0.part0.weight": [.nan], "other": []]
        broken.result.tasks = []
        broken.tasks += broken.tasks
        #expect(ReleaseDiff(from: old, to: broken, most: -1).coefficients.isEmpty)
        #expect(ReleaseDiff(from: broken, to: old).tasks.count == 3)
    }
}
