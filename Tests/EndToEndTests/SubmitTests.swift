import Files
import Foundation
import Testing

/// `supermergectl submit` and `withdraw` against a running daemon.
@Suite struct SubmitTests {
    private func site() throws -> Site {
        let site = try Site(steps: 5)
        try site.start()
        return site
    }

    /// A copy of a workshop's task outside the registry, as a training job leaves it.
    private func folder(_ site: Site, _ task: String) throws -> String {
        let folder = "\(site.folder.path)/run/\(task)"
        try Durable.createDirectories(folder.splitPath.directory)
        try site.copy(Workshop.shared().task(task), to: folder)
        for name in ["training_args.bin", "optimizer.pt"] {
            try Data("x".utf8).write(to: URL(filePath: "\(folder)/\(name)"))
        }
        try Durable.createDirectories("\(folder)/checkpoint-5")
        return folder
    }

    private func submit(_ site: Site, _ arguments: String...) throws -> (
        status: Int32, report: [String: Any], errors: String
    ) {
        let run = try site.control(arguments: ["submit"] + arguments + ["--json"])
        #expect(try JSONSchema(of: "supermergectl submit sentiment --json").faults(of: run.json()) == [])
        return (run.status, try run.object(), run.errors)
    }

    @Test func oneCommandTakesATrainedFolderToARelease() throws {
        let site = try site()
        let folder = try folder(site, "amber")
        let (status, report, errors) = try submit(site, folder, "--task", "sentiment", "--wait")
        #expect(
            status == 0 && report["outcome"] as? String == "published" && report["version"] as? Int == 1,
            "\(report) \(errors)")
        let leftOut = (report["left_out"] as? [[String: Any]])?.compactMap { $0["name"] as? String }
        #expect(leftOut == ["checkpoint-5/", "optimizer.pt", "training_args.bin"])
        #expect(try Durable.list(site.registry + "/tasks") == ["sentiment"])
        let entry = try #require(try site.ledger(.submitted).first)
        #expect(entry.task == "sentiment" && entry.details["by"] != nil)
        #expect(entry.details["digest"]?.text == report["digest"] as? String)
        let digest = try #require(report["digest"] as? String)
        #expect(try site.release()?.record.tasks.map(\.digest) == [digest])
    }

    @Test func aJobThatRunsTwiceCopiesOnce() throws {
        let site = try site()
        let folder = try folder(site, "amber")
        _ = try submit(site, folder, "--wait")
        let before = try FileStatus(path: site.path("amber")).identity
        let again = try submit(site, folder, "--wait")
        #expect(again.status == 0 && again.report["outcome"] as? String == "published")
        #expect(again.report["is_copied"] as? Bool == false)
        #expect(try FileStatus(path: site.path("amber")).identity == before)
        #expect(try site.versions() == [1] && site.ledger(.submitted).count == 1)
    }

    @Test func aBadFolderNeverReachesTheRegistry() throws {
        let site = try site()
        let folder = try folder(site, "amber")
        var model = try TensorFile(path: folder + "/model.safetensors")
        let name = try #require(model.tensors.keys.sorted().first { $0.hasPrefix("vit") })
        model.tensors[name]?.floats[0] = .nan
        try model.write(folder + "/model.safetensors")
        let (status, report, _) = try submit(site, folder, "--wait")
        #expect(status == 3 && report["outcome"] as? String == "refused" && report["code"] as? String == "not-finite")
        #expect(try Durable.list(site.registry + "/tasks").isEmpty && site.ledger(.submitted).isEmpty)
        let words = try site.control("submit", folder)
        #expect(
            words.status == 3 && words.errors.contains("amber refused (not-finite): ") && words.errors.contains(name))
    }

    @Test func aTaskThatTheGateRefusesIsToldSo() throws {
        let site = try site()
        let folder = try folder(site, "amber")
        var examples = try TensorFile(path: folder + "/validation.safetensors")
        let labels = try #require(examples.tensors["labels"])
        // Labels that no model can learn: the task's own checkpoint is as good as the base.
        examples.tensors["labels"] = .init(labels.integers.map { ($0 + 1) % 3 })
        try examples.write(folder + "/validation.safetensors")
        let (status, report, errors) = try submit(site, folder, "--wait")
        #expect(status == 3 && report["outcome"] as? String == "refused", "\(report) \(errors)")
        #expect((report["message"] as? String)?.contains("gate refused") == true, "\(report)")
    }

    @Test func withoutExamplesItIsRefusedBeforeItIsCopied() throws {
        let site = try site()
        let folder = try folder(site, "amber")
        let examples = site.folder.path + "/dev.safetensors"
        try Durable.rename(folder + "/validation.safetensors", to: examples)
        let (status, report, _) = try submit(site, folder)
        #expect(status == 3 && report["code"] as? String == "missing-validation", "\(report)")
        #expect(try Durable.list(site.registry + "/tasks").isEmpty)
        let second = try submit(site, folder, "--wait", "--examples", examples)
        #expect(second.status == 0, "\(second.report)")
    }

    @Test func withdrawTakesATaskOutAndMayBeRunTwice() throws {
        let site = try site()
        for task in ["amber", "birch"] { #expect(try submit(site, folder(site, task), "--wait").status == 0) }
        let run = try site.control("withdraw", "birch", "--wait")
        #expect(run.status == 0, "\(run.errors)")
        #expect(try site.release()?.record.tasks.map(\.name) == ["amber"])
        #expect(try site.ledger(.withdrawn).map(\.task) == ["birch"])
        let again = try site.control("withdraw", "birch")
        #expect(again.status == 0 && again.output.contains("nothing to withdraw"))
        #expect(try site.ledger(.withdrawn).count == 1)
        #expect(try site.control("withdraw", "no/task").status == 2)
    }

    @Test func mistakesAreNamed() throws {
        let site = try site()
        let missing = try site.control("submit", site.folder.path + "/nowhere")
        #expect(missing.status == 1 && missing.errors.contains("there is no such folder"), "\(missing.errors)")
        let folder = try folder(site, "amber")
        let name = try site.control("submit", folder, "--task", "no task")
        #expect(name.status == 2 && name.errors.contains("'no task' is no name of a task"))
        #expect(try site.control("pause").status == 0)
        let paused = try site.control("submit", folder, "--wait")
        #expect(paused.status == 1 && paused.errors.contains("paused"), "\(paused.errors)")
    }

    @Test func aRegistryWithoutADaemonTakesItToo() throws {
        let site = try Site(steps: 5)
        let run = try site.control("submit", folder(site, "amber"), "--registry", site.registry)
        #expect(run.status == 0 && run.output.contains("submitted amber"), "\(run.errors)")
        #expect(try Durable.list(site.path("amber")) == ["model.safetensors", "validation.safetensors"])
    }
}
