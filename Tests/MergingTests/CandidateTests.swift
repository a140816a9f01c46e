import Files
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// What is written, to the byte.
@Suite(.serialized)
struct CandidateTests {
    private let layer = "vit.embeddings.cls_token"

    private func plan(in directory: String, _ method: MergeSettings.Method = .taskArithmetic) throws -> MergePlan {
        var plan = try Fixture.plan(Fixture.settings(), in: directory)
        plan.settings.method = method
        let base = try ModelFolder(plan.base.directory, copiedTo: directory + "/base")
        plan.base.directory = base.path
        for (index, task) in plan.tasks.enumerated() {
            let copy = try ModelFolder(task.directory, copiedTo: directory + "/" + task.name)
            try Durable.remove(copy.path + "/validation.safetensors")
            plan.tasks[index].directory = copy.path
        }
        return plan
    }

    private func change(_ plan: MergePlan, _ body: (inout [String: ModelFolder.Content]) throws -> Void) throws {
        for directory in [plan.base.directory] + plan.tasks.map(\.directory) {
            try ModelFolder(at: directory).change("model.safetensors", body)
        }
    }

    @Test func whatNoTaskMovesKeepsEveryBit() throws {
        try Fixture.temporarily { directory in
            let plan = try plan(in: directory)
            let values = [1.0 / 3, .pi, 1e-300, 0.1]
            try change(plan) { $0["precise"] = .init(values, .f64, shape: [4]) }
            _ = try MergeRun(plan, report: { _ in }).run()
            let merged = try ModelFolder(at: plan.output).tensors()
            #expect(merged["precise"]?.values(Double.self) == values)
        }
    }

    @Test func largeElementsComeFirstSoThatAllAreAligned() throws {
        try Fixture.temporarily { directory in
            let plan = try plan(in: directory)
            try change(plan) {
                $0["a.flags"] = .init([1, 2, 3] as [UInt8], .u8)
                $0["b.half"] = .init(.f16, [1], [0, 0x3C])
                $0["c.wide"] = .init([1.0], .f64)
            }
            _ = try MergeRun(plan, report: { _ in }).run()
            let file = try SafetensorsFile(file: ReadableFile(path: plan.output + "/model.safetensors"))
            let start = try #require(file.entries.first).bytes.lowerBound
            #expect(start.isMultiple(of: 8))
            for entry in file.entries {
                #expect((entry.bytes.lowerBound - start).isMultiple(of: Int64(entry.dtype.byteCount)), "\(entry.name)")
            }
            #expect(file.entries.last?.name == "a.flags")
        }
    }

    @Test(arguments: [Float.nan, .infinity]) func aTasksNumberThatIsNotFiniteIsNeverWritten(value: Float) throws {
        try Fixture.temporarily { directory in
            let plan = try plan(in: directory)
            try ModelFolder(at: plan.tasks[1].directory).change {
                var values = $0[layer]!.values(Float.self)
                values[3] = value
                $0[layer] = .init(values, .f32, shape: [1, 1, 16])
            }
            let failure = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            #expect(failure?.kind == .badTask && failure?.task == "shapes")
            #expect(failure?.message.contains(layer) == true)
        }
    }

    @Test func aBasesNumberThatIsNotFiniteIsNeverWritten() throws {
        try Fixture.temporarily { directory in
            let plan = try plan(in: directory)
            try change(plan) { $0["stale"] = .init([Float.nan], .f32) }
            let failure = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            #expect(failure?.kind == .badBase && failure?.message.contains("stale") == true)
        }
    }

    @Test func aHeadThatIsNotFiniteIsNeverWritten() throws {
        try Fixture.temporarily { directory in
            let plan = try plan(in: directory)
            try ModelFolder(at: plan.tasks[0].directory).change {
                $0["classifier.bias"] = .init([1, .nan, 2] as [Float], .f32)
            }
            let failure = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            #expect(failure?.kind == .badTask && failure?.task == "letters")
        }
    }

    @Test func aSumBeyondTheBasesTypeIsSaidToBe() throws {
        try Fixture.temporarily { directory in
            var plan = try plan(in: directory)
            plan.settings.scale = 2
            let tensors = [[0x00, 0x00], [0xFF, 0x7B], [0xFF, 0x7B]] as [[UInt8]]  // 0, and the largest f16
            for (folder, bytes) in zip([plan.base.directory] + plan.tasks.map(\.directory), tensors) {
                try ModelFolder(at: folder).change { $0["half"] = .init(.f16, [1], bytes) }
            }
            let failure = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            #expect(failure?.kind == .badBase && failure?.message.contains("float16") == true)
        }
    }
}
