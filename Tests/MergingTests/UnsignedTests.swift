import Files
import Testing
import WorkerProtocol

@testable import Merging

/// Unsigned integers, which libtorch 1.13 has no type for.
@Suite(.serialized)
struct UnsignedTests {
    private func plan(_ labels: (ModelFolder.Content) -> ModelFolder.Content, in directory: String) throws -> MergePlan
    {
        var plan = try Fixture.plan(Fixture.settings(), in: directory)
        plan.settings.steps = 2
        let task = try ModelFolder(plan.tasks[0].directory, copiedTo: directory + "/letters")
        try task.change("validation.safetensors") { $0["labels"] = labels($0["labels"]!) }
        plan.tasks[0].directory = task.path
        return plan
    }

    @Test func unsignedLabelsAreTheSameLabels() throws {
        try Fixture.temporarily { directory in
            let expected = try MergeRun(plan({ $0 }, in: directory + "/i32"), report: { _ in }).run()
            let changes: [(ModelFolder.Content) -> ModelFolder.Content] = [
                { .init($0.values(Int32.self).map(UInt16.init), .u16) },
                { .init($0.values(Int32.self).map(UInt32.init), .u32) },
                { .init($0.values(Int32.self).map(UInt64.init), .u64) },
            ]
            for (index, change) in changes.enumerated() {
                let result = try MergeRun(plan(change, in: "\(directory)/\(index)"), report: { _ in }).run()
                #expect(result.outputs == expected.outputs)
            }
        }
    }

    @Test func aLabelBeyond63BitsIsItsTasksFault() throws {
        try Fixture.temporarily { directory in
            let plan = try plan({ .init([UInt64](repeating: .max, count: $0.shape[0]), .u64) }, in: directory)
            let failure = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            #expect(failure?.kind == .badTask && failure?.task == "letters")
            #expect(failure?.message.contains("labels") == true)
        }
    }
}
