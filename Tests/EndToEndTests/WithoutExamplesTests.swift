import Foundation
import Testing

/// `supermerge merge` of tasks of which none has examples, or not every one.
@Suite struct WithoutExamplesTests {
    private func merge(_ tasks: [String], _ output: String, _ more: [String] = []) throws -> Execution {
        try Execution.run(
            Programs.merge,
            ["merge", "--base", Workshop.shared().base] + tasks.flatMap { ["--task", $0] }
                + ["--output", output, "--threads", "1"] + more)
    }

    /// Copies of tasks' folders without their examples.
    private func bare(_ names: [String], in folder: TemporaryFolder) throws -> [String] {
        try names.map { name in
            let copy = "\(folder.path)/\(name)"
            try FileManager.default.copyItem(atPath: Workshop.shared().task(name), toPath: copy)
            try FileManager.default.removeItem(atPath: copy + "/validation.safetensors")
            return copy
        }
    }

    @Test func takesAMethodThatNeedsNoneWhereNoTaskHasAny() throws {
        let folder = try TemporaryFolder()
        let tasks = try bare(["amber", "birch"], in: folder)
        let run = try merge(tasks, folder.path + "/merged", ["--json"])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors.contains("no task has examples: merged by iso-cts, which needs none"), "\(run.errors)")
        let settings = try #require(try run.object()["settings"] as? [String: Any])
        #expect(settings["method"] as? String == "iso-cts" && settings["scale"] as? Double == 1.5)
        let named = try merge(tasks, folder.path + "/named", ["--method", "iso-cts"])
        #expect(named.status == 0 && !named.errors.contains("no task has examples"), "\(named.errors)")
        let weights = try ["merged", "named"].map {
            try Data(contentsOf: URL(filePath: "\(folder.path)/\($0)/model.safetensors"))
        }
        #expect(weights[0] == weights[1])
    }

    @Test func refusesThemForAMethodThatLearns() throws {
        let folder = try TemporaryFolder()
        let tasks = try bare(["amber", "birch"], in: folder)
        let learned = try merge(tasks, folder.path + "/learned", ["--method", "supermerge"])
        #expect(learned.status == 1 && learned.errors.contains("no examples ("), "\(learned.errors)")
        // One of two: nothing says that it may go unfitted.
        let mixed = try merge([Workshop.shared().task("amber"), tasks[1]], folder.path + "/mixed")
        #expect(mixed.status == 1 && mixed.errors.contains("no examples ("), "\(mixed.errors)")
        #expect(mixed.errors.contains("birch"), "\(mixed.errors)")
    }
}
