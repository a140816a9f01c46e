import Files
import Foundation
import Testing

/// What the commands say of a folder that is refused is what a registry says, and a merge that fails leaves nothing.
@Suite struct OneAnswerTests {
    /// A copy of a task that `change` has made unfit, and its folder.
    private func withTask(
        _ change: (String) throws -> Void, _ body: (_ task: String, _ folder: String) throws -> Void
    ) throws {
        let folder = try TemporaryFolder()
        let task = folder.path + "/amber"
        try FileManager.default.copyItem(atPath: Workshop.shared().task("amber"), toPath: task)
        try change(task)
        try body(task, folder.path)
    }

    private func expectOneAnswer(code: String, _ change: (String) throws -> Void) throws {
        let base = try Workshop.shared().base
        try withTask(change) { task, folder in
            let inspection = try Execution.run(Programs.merge, ["inspect", task, "--base", base, "--json"])
            let verdict = try #require(try inspection.object()["verdict"] as? [String: Any])
            let message = try #require(verdict["message"] as? String)
            #expect(inspection.status == 1 && verdict["code"] as? String == code)
            let commands = [
                ["merge", "--base", base, "--task", task, "--output", folder + "/merged"],
                ["evaluate", "--model", base, "--task", task, "--base", base],
            ]
            for arguments in commands {
                let run = try Execution.run(Programs.merge, arguments)
                #expect(run.status == 1 && run.output.isEmpty)
                #expect(run.errors.contains("supermerge: task amber: refused (\(code)): \(message)"), "\(run.errors)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["amber"])
        }
    }

    @Test func aTaskOfAnotherBaseIsRefusedAlike() throws {
        try expectOneAnswer(code: "another-base") { task in
            var model = try TensorFile(path: task + "/model.safetensors")
            for (name, tensor) in model.tensors where name.hasPrefix("vit") {
                model.tensors[name]?.floats = tensor.floats.map { -$0 }
            }
            try model.write(task + "/model.safetensors")
        }
    }

    @Test func anExampleOutsideTheHeadIsRefusedAlike() throws {
        try expectOneAnswer(code: "labels-outside-head") { task in
            var examples = try TensorFile(path: task + "/validation.safetensors")
            let count = try #require(examples.tensors["labels"]).shape[0]
            examples.tensors["labels"] = .init([Int64](repeating: -100, count: count))
            try examples.write(task + "/validation.safetensors")
        }
    }

    @Test func aFolderWithItsCheckpointInASubfolderIsRefusedAlike() throws {
        try expectOneAnswer(code: "nested-checkpoint") { task in
            try Durable.createDirectories(task + "/checkpoint-500")
            try Durable.rename(task + "/model.safetensors", to: task + "/checkpoint-500/model.safetensors")
        }
    }

    @Test func aFailedMergeLeavesAnEmptyFolderAsItWas() throws {
        try withTask({ try Durable.remove($0 + "/model.safetensors") }) { task, folder in
            let output = folder + "/merged"
            try Durable.createDirectories(output)
            let run = try Execution.run(
                Programs.merge,
                [
                    "merge", "--base", Workshop.shared().base, "--task", task, "--method", "average", "--output",
                    output,
                ])
            #expect(run.status == 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: output).isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["amber", "merged"])
        }
    }
}
