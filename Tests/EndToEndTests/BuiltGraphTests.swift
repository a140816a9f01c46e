import Foundation
import Testing

/// A base without graph.pt2: a plain directory as transformers saves it.
@Suite struct BuiltGraphTests {
    /// A deployment whose base has the configuration of the workshop's model instead of its graph.
    private func site() throws -> Site {
        let site = try Site(steps: 8)
        try FileManager.default.removeItem(atPath: site.registry + "/base/graph.pt2")
        let configuration = try site.bytes(Programs.tinyModel + "/config.json")
        try configuration.write(to: URL(filePath: site.registry + "/base/config.json"))
        return site
    }

    private func evaluate(_ model: String, _ task: String, _ flags: String...) throws -> Double {
        let run = try Execution.run(
            Programs.merge,
            [
                "evaluate", "--model", model, "--task", Workshop.shared().task(task), "--threads", "1", "--json",
            ] + flags)
        return try #require(try run.object()["loss"] as? Double, "\(run.errors)")
    }

    @Test func aPlainDirectoryIsEnoughForReleasesThatCanBeScoredAndMadeAgain() throws {
        let site = try site()
        try site.start()
        try site.drop("amber")
        try site.settle()
        try site.drop("birch")
        try site.settle()
        #expect(site.current == "versions/2")
        let files = FileManager.default
        #expect(!files.fileExists(atPath: site.deployed("graph.pt2")))
        #expect(try site.bytes(site.deployed("config.json")) == site.bytes(site.registry + "/base/config.json"))
        let record = try #require(try site.release()?.record)
        #expect(record.base.files.map(\.name) == ["config.json", "model.safetensors"])
        #expect(record.result.tasks.allSatisfy { $0.merged != nil })
        let again = try site.control("reproduce", "2")
        #expect(again.status == 0, "\(again.output) \(again.errors)")

        // Beside the release its own configuration serves; the exported graph says the same.
        let built = try evaluate(site.deploy + "/current", "amber", "--base", site.registry + "/base")
        let exported = try evaluate(site.deploy + "/current", "amber", "--base", Workshop.shared().base)
        #expect(abs(built - exported) < 1e-5 * max(1, exported), "\(built), \(exported)")
    }

    @Test func aConfigurationThatNoGraphIsBuiltForIsRefusedWithItsKey() throws {
        let site = try site()
        let path = site.registry + "/base/config.json"
        let text = try Execution.text(path).replacing("\"gelu\"", with: "\"gelu_10\"")
        try Data(text.utf8).write(to: URL(filePath: path))
        try site.start()
        _ = try site.rescan()
        let refused = try #require(try site.ledger(.refused).last)
        for word in ["hidden_act", "gelu_10", "Tools/export_model.py"] {
            #expect(refused.message.contains(word), "\(refused.message)")
        }
        #expect(site.current == nil)
        let inspection = try Execution.run(Programs.merge, ["inspect", site.registry + "/base"])
        #expect(inspection.output.contains("no graph can be built"), "\(inspection.output)")
        #expect(!inspection.output.contains("0 nodes"), "\(inspection.output)")
        let described = try Execution.run(Programs.merge, ["inspect", site.registry + "/base", "--json"]).object()
        let graph = try #require(described["graph"] as? [String: Any])
        #expect(graph["is_built"] as? Bool == false && graph["fault"] is String)
    }

    @Test func commandsTakeAPlainDirectory() throws {
        let site = try site()
        let base = site.registry + "/base"
        let inspection = try Execution.run(Programs.merge, ["inspect", base])
        #expect(inspection.output.contains("graph built from config.json"), "\(inspection.output) \(inspection.errors)")
        #expect(inspection.output.contains("can be run here"))
        let output = site.folder.path + "/out"
        let tasks = try ["amber", "birch"].flatMap { ["--task", try Workshop.shared().task($0)] }
        let merge = try Execution.run(
            Programs.merge,
            ["merge", "--base", base, "--output", output, "--steps", "3", "--threads", "1"] + tasks)
        #expect(merge.status == 0, "\(merge.errors)")
        #expect(!FileManager.default.fileExists(atPath: output + "/graph.pt2"))
        let trained = site.folder.path + "/trained"
        let finetune = try Execution.run(
            Programs.merge,
            [
                "finetune", "--base", base, "--data", Workshop.shared().task("amber") + "/validation.safetensors",
                "--output", trained, "--steps", "2", "--threads", "1",
            ])
        #expect(finetune.status == 0, "\(finetune.errors)")
    }
}
