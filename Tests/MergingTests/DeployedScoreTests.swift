import Files
import Foundation
import Safetensors
import Testing
import WorkerProtocol

@testable import Merging

/// The deployed release as what a candidate is compared with.
@Suite(.serialized)
struct DeployedScoreTests {
    /// A base that has every parameter of the graph, so that no task has a head, and a release of task `letters`.
    private func headlessPlan(in directory: String) throws -> MergePlan {
        let base = directory + "/base"
        let release = directory + "/release"
        for folder in [base, release] { try Durable.createDirectories(folder) }
        let files = FileManager.default
        try files.copyItem(atPath: Fixture.root + "/base/graph.pt2", toPath: base + "/graph.pt2")
        for folder in [base, release] {
            try files.copyItem(
                atPath: Fixture.root + "/letters/model.safetensors", toPath: folder + "/model.safetensors")
        }
        var settings = try Fixture.settings()
        settings.method = .average
        var plan = try Fixture.plan(settings, tasks: ["letters"], in: directory)
        plan.base.directory = base
        let record = ReleaseRecord(
            version: 1, created: "", merge: "m", settings: settings, base: plan.base, tasks: plan.tasks,
            result: MergeResult(tasks: []))
        plan.deployed = DeployedSource(record, directory: release)
        return plan
    }

    @Test func aTaskWithoutAHeadIsComparedWithItsRelease() throws {
        try Fixture.temporarily { directory in
            let result = try MergeRun(headlessPlan(in: directory), report: { _ in }).run()
            #expect(result.tasks[0].deployed != nil)
            #expect(result.tasks[0].paired != nil)
        }
    }

    /// Scores stay those of what is held out, but a test of three examples can say nothing.
    @Test func whereFewAreHeldOutAllExamplesArePaired() throws {
        try Fixture.temporarily { directory in
            func task(holdout: Double) throws -> TaskResult {
                var plan = try headlessPlan(in: "\(directory)/\(holdout)")
                plan.settings.holdout = holdout
                return try MergeRun(plan, report: { _ in }).run().tasks[0]
            }
            let few = try task(holdout: 0.2)
            #expect(few.merged?.examples == 2 && few.deployed?.examples == 2 && few.paired?.examples == 12)
            #expect(few.paired?.lostHeldOut.map { abs($0) <= 2 } == true)
            let many = try task(holdout: 0.9)
            #expect(many.merged?.examples == 11 && many.paired?.examples == 11)
            #expect(many.paired?.lostHeldOut == nil)
        }
    }

    @Test func aReleaseThatCantBeComparedWithIsSaidSo() throws {
        try Fixture.temporarily { directory in
            let plan = try headlessPlan(in: directory)
            let release = try #require(plan.deployed).directory
            let slot = SafetensorsWriter.Slot(name: "other", dtype: .f32, shape: [1])
            try Durable.remove(release + "/model.safetensors")
            let writer = try CheckpointWriter(directory: release, slots: [slot])
            try [Float(1)].withUnsafeBytes { try writer.append($0) }
            _ = try writer.finish()
            let result = try MergeRun(plan, report: { _ in }).run()
            #expect(result.tasks[0].deployed == nil)
            #expect(result.notes.count == 1)
            #expect(result.notes.first?.contains("release 1") == true)
        }
    }

    @Test func aTaskThatTheReleaseDoesNotHaveIsNew() throws {
        try Fixture.temporarily { directory in
            var plan = try headlessPlan(in: directory)
            plan.tasks[0].name = "other"
            let result = try MergeRun(plan, report: { _ in }).run()
            #expect(result.tasks[0].deployed == nil)
        }
    }
}
