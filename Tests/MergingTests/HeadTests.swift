import Files
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// Heads that `task.yaml` names, over tensors that the base has too.
@Suite(.serialized)
struct HeadTests {
    /// The fixture with a classifier of three classes in the base; `letters` has three, `shapes` five.
    private func plan(in directory: String, _ method: MergeSettings.Method = .supermerge) throws -> MergePlan {
        var settings = try Fixture.settings()
        settings.method = method
        settings.holdout = 0.25
        settings.batch = 4
        settings.steps = 4
        settings.evaluateEvery = 2
        var plan = try Fixture.plan(settings, in: directory)
        let base = try ModelFolder(plan.base.directory, copiedTo: directory + "/base")
        try base.change {
            $0["classifier.weight"] = .init([Float](repeating: 0.1, count: 1000 * 16), .f32, shape: [1000, 16])
            $0["classifier.bias"] = .init([Float](repeating: 0.1, count: 1000), .f32)
        }
        plan.base.directory = base.path
        for index in plan.tasks.indices { plan.tasks[index].settings.head = ["classifier."] }
        return plan
    }

    @Test func aHeadOfAnotherSizeThanTheBasesIsMerged() throws {
        try Fixture.temporarily { directory in
            let plan = try plan(in: directory)
            let result = try MergeRun(plan, report: { _ in }).run()
            let plain = try Fixture.plan(plan.settings, in: directory + "/plain")
            let expected = try MergeRun(plain, report: { _ in }).run()
            #expect(result.tasks == expected.tasks)
            let merged = try Checkpoint(directory: plan.output)
            #expect(merged.entry("classifier.weight")?.shape == [1000, 16])
            #expect(try merged.tensor("classifier.bias").floats() == [Float](repeating: 0.1, count: 1000))
        }
    }

    @Test func aLayerThatATaskDoesNotMoveHasNoCoefficient() throws {
        try Fixture.temporarily { directory in
            let plan = try plan(in: directory)
            let still = "vit.embeddings.cls_token"
            let task = try ModelFolder(plan.tasks[1].directory, copiedTo: directory + "/shapes")
            let origin = try #require(try ModelFolder(at: plan.base.directory).tensors()[still])
            try task.change { $0[still] = origin }
            var changed = plan
            changed.tasks[1].directory = task.path
            let result = try MergeRun(changed, report: { _ in }).run()
            #expect(result.coefficients["classifier.weight"] == [0, 0])
            #expect(result.coefficients[still]?[1] == 0 && result.coefficients[still]?[0] != 0)
            let file = try SafetensorsFile(file: ReadableFile(path: plan.output + "/merge/coefficients.safetensors"))
            let entry = try #require(file.entry(still))
            #expect(try file.tensor(entry).doubles()[1] == 0)
        }
    }

    /// `supermerge merge` has no door that would refuse it.
    @Test func whatNobodyKnowsIsPassedOnWithANote() throws {
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(Fixture.settings(), in: directory)
            plan.settings.method = .average
            let task = try ModelFolder(plan.tasks[1].directory, copiedTo: directory + "/shapes")
            try task.change { $0["pooler.weight"] = .init([Float](repeating: 1, count: 4), .f32) }
            plan.tasks[1].directory = task.path
            let notes = try MergeRun(plan, report: { _ in }).run().notes.filter { $0.contains("neither the base") }
            #expect(notes.count == 1 && notes.allSatisfy { $0.hasPrefix("shapes: ") })
            #expect(notes.allSatisfy { $0.contains("`pooler.weight`") && !$0.contains("classifier") })
            plan.tasks[1].settings.head = ["classifier.", "pooler."]
            plan.output = directory + "/named"
            try Durable.createDirectories(plan.output)
            #expect(try !MergeRun(plan, report: { _ in }).run().notes.contains { $0.contains("neither the base") })
        }
    }

    @Test func aNamedHeadThatTheTaskLacksAndTheGraphDoesNotKnowBlocksNothing() throws {
        try Fixture.temporarily { directory in
            var plan = try plan(in: directory)
            let base = try ModelFolder(plan.base.directory, copiedTo: directory + "/pooled")
            try base.change { $0["pooler.weight"] = .init([Float](repeating: 1, count: 4), .f32) }
            plan.base.directory = base.path
            for index in plan.tasks.indices { plan.tasks[index].settings.head.append("pooler.") }
            let result = try MergeRun(plan, report: { _ in }).run()
            #expect(result.tasks.allSatisfy { $0.merged != nil })
            #expect(try Checkpoint(directory: plan.output).tensor("pooler.weight").floats() == [1, 1, 1, 1])
        }
    }

    @Test func aBufferOfIntegersThatTheTaskLacksComesFromTheBase() throws {
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(Fixture.settings(), in: directory)
            plan.settings.method = .average
            let base = try ModelFolder(plan.base.directory, copiedTo: directory + "/base")
            try base.change { $0["embeddings.position_ids"] = .init([0, 1, 2] as [Int64], .i64, shape: [1, 3]) }
            plan.base.directory = base.path
            _ = try MergeRun(plan, report: { _ in }).run()
            #expect(try Checkpoint(directory: plan.output).tensor("embeddings.position_ids").integers() == [0, 1, 2])
        }
    }

    @Test func aLayerOfIntegersIsItsTasksFault() throws {
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(Fixture.settings(), in: directory)
            let task = try ModelFolder(plan.tasks[1].directory, copiedTo: directory + "/shapes")
            let name = "vit.embeddings.cls_token"
            try task.change { $0[name] = .init([Int32](repeating: 1, count: 16), .i32, shape: [1, 1, 16]) }
            plan.tasks[1].directory = task.path
            let failure = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            #expect(failure?.kind == .badTask && failure?.task == "shapes")
            #expect(failure?.message.contains(name) == true)
        }
    }
}
