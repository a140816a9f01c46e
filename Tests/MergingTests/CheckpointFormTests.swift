import Files
import Foundation
import Testing
import WorkerProtocol

@testable import Merging

/// The same models in other forms give the same merge: in shards, under a prefix, beside tensors that the graph has no
/// use for.
@Suite(.serialized)
struct CheckpointFormTests {
    private func plan(in directory: String, _ method: MergeSettings.Method = .supermerge) throws -> MergePlan {
        var settings = try Fixture.settings()
        settings.steps = 2
        settings.method = method
        return try Fixture.plan(settings, in: directory)
    }

    /// Moves the weights of a folder into two shards with an index.
    private func shard(_ folder: ModelFolder) throws {
        let tensors = try folder.tensors()
        var map: [String: String] = [:]
        for (place, name) in tensors.keys.sorted().enumerated() {
            map[name] = "model-0000\(place % 2 + 1)-of-00002.safetensors"
        }
        for file in Set(map.values) { try folder.write(tensors.filter { map[$0.key] == file }, to: file) }
        try Durable.remove(folder.path + "/model.safetensors")
        let index = try JSONSerialization.data(withJSONObject: ["weight_map": map])
        try index.write(to: URL(filePath: folder.path + "/model.safetensors.index.json"))
    }

    @Test(arguments: [MergeSettings.Method.supermerge, .ties]) func shardsAreMergedAsOneFile(
        method: MergeSettings.Method
    ) throws {
        try Fixture.temporarily { directory in
            let whole = try plan(in: directory + "/whole", method)
            _ = try MergeRun(whole, report: { _ in }).run()
            var plan = try plan(in: directory + "/parts", method)
            let base = try ModelFolder(plan.base.directory, copiedTo: directory + "/base")
            try shard(base)
            plan.base.directory = base.path
            for index in plan.tasks.indices {
                let task = try ModelFolder(plan.tasks[index].directory, copiedTo: directory + "/task-\(index)")
                try shard(task)
                plan.tasks[index].directory = task.path
            }
            _ = try MergeRun(plan, report: { _ in }).run()
            let expected = try ModelFolder(at: whole.output).tensors()
            let merged = try ModelFolder(at: plan.output).tensors()
            #expect(Set(merged.keys) == Set(expected.keys))
            for (name, content) in expected { #expect(merged[name]?.bytes == content.bytes, "\(name)") }
        }
    }

    @Test(arguments: [MergeSettings.Method.supermerge, .average]) func whatTheGraphHasNoUseForStaysTheBases(
        method: MergeSettings.Method
    ) throws {
        try Fixture.temporarily { directory in
            let plain = try plan(in: directory + "/plain", method)
            _ = try MergeRun(plain, report: { _ in }).run()
            var plan = try plan(in: directory + "/more", method)
            let base = try ModelFolder(plan.base.directory, copiedTo: directory + "/base")
            let spare = ModelFolder.Content([1.5, -2] as [Float], .f32)
            let counter = ModelFolder.Content([7, 9] as [Int64], .i64)
            try base.write(base.tensors().merging(["cls.bias": spare, "position_ids": counter]) { $1 })
            plan.base.directory = base.path
            _ = try MergeRun(plan, report: { _ in }).run()
            let merged = try ModelFolder(at: plan.output).tensors()
            #expect(merged["cls.bias"]?.bytes == spare.bytes)
            #expect(merged["position_ids"]?.bytes == counter.bytes)
            for (name, content) in try ModelFolder(at: plain.output).tensors() {
                #expect(merged[name]?.bytes == content.bytes, "\(name)")
            }
        }
    }

    @Test(arguments: ["model.", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
    func aCheckpointUnderAPrefixScoresTheSame(prefix: String) throws {
        try Fixture.temporarily { directory in
            let task = Fixture.root + "/letters"
            let base = Fixture.root + "/base"
            let expected = try Evaluation(model: task, task: task, settings: .init(), base: base).score()
            let wrapped = try ModelFolder(task, copiedTo: directory + "/wrapped")
            let tensors = try wrapped.tensors()
            try wrapped.write(Dictionary(uniqueKeysWithValues: tensors.map { (prefix + $0.key, $0.value) }))
            #expect(try Evaluation(model: wrapped.path, task: task, settings: .init(), base: base).score() == expected)
        }
    }
}
