import Foundation
import Testing

/// `supermerge` alone, without a daemon and a registry.
@Suite struct ProgramTests {
    private func merge(_ output: String, _ more: [String] = [], tasks: [String] = ["amber", "birch"]) throws
        -> Execution
    {
        let workshop = try Workshop.shared()
        return try Execution.run(
            Programs.merge,
            ["merge", "--base", workshop.base] + tasks.flatMap { ["--task", workshop.task($0)] }
                + ["--output", output, "--steps", "10", "--learning-rate", "0.05", "--threads", "1"] + more)
    }

    @Test func mergeWritesAReleaseAndItsRecord() throws {
        let folder = try TemporaryFolder()
        let output = folder.path + "/merged"
        let run = try merge(output, ["--json", "--steps", "30"])
        #expect(run.status == 0, "\(run.errors)")
        let record = try run.object()
        let file = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: output + "/release.json")))
        #expect(NSDictionary(dictionary: record) == (file as? [String: Any]).map { NSDictionary(dictionary: $0) })
        for key in ["version", "created", "settings", "base", "tasks", "result"] {
            #expect(record[key] != nil, "\(key)")
        }
        let result = try #require(record["result"] as? [String: Any])
        for key in ["tasks", "curve", "steps", "best_step", "coefficients", "outputs", "versions", "seconds"] {
            #expect(result[key] != nil, "\(key)")
        }
        #expect(run.errors.contains("fitting") && run.errors.contains("s left"))
        for name in [
            "model.safetensors", "heads/amber.safetensors", "merge/coefficients.safetensors", "README.md",
            "report.html",
        ] {
            #expect(FileManager.default.fileExists(atPath: output + "/" + name), "\(name)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["merged"], "no scratch is left")
    }

    @Test func aMergeStartsFromAFormerOne() throws {
        let folder = try TemporaryFolder()
        func coefficients(_ run: Execution) throws -> [String: [Double]] {
            #expect(run.status == 0, "\(run.errors)")
            let result = try #require(try run.object()["result"] as? [String: Any])
            return try #require(result["coefficients"] as? [String: [Double]])
        }
        let options = ["--json", "--start", "task-vectors"]
        let first = try coefficients(merge(folder.path + "/first", options, tasks: ["birch"]))
        let flags = options + ["--previous", folder.path + "/first", "--steps", "0"]
        let second = try coefficients(merge(folder.path + "/second", flags))
        for (layer, values) in second {
            #expect(try abs(values[1] - #require(first[layer])[0]) < 1e-6, "\(layer) of the old task")
            #expect(abs(values[0] - 0.3) < 1e-6 || values[0] == 0, "\(layer) of the new task")
        }
        #expect(first.values.joined().contains { abs($0 - 0.3) > 0.01 })
        let none = try merge(folder.path + "/third", ["--previous", folder.path])
        #expect(none.status == 1 && none.errors.contains("--previous"))
    }

    @Test func aTreeIsKeptForTheNextMerge() throws {
        let folder = try TemporaryFolder()
        let flags = ["--strategy", "hierarchical", "--fan-in", "2", "--tree", folder.path + "/tree", "--json"]
        func nodes(_ output: String, _ tasks: [String]) throws -> [[String: Any]] {
            let run = try merge("\(folder.path)/\(output)", flags, tasks: tasks)
            #expect(run.status == 0, "\(run.errors)")
            let result = try #require(try run.object()["result"] as? [String: Any])
            #expect((result["strategy"] as? [String: Any])?["strategy"] as? String == "hierarchical")
            return try #require(result["tree"] as? [[String: Any]])
        }
        let first = try nodes("one", ["amber", "birch", "cedar", "dune"])
        #expect(first.count == 3 && first.allSatisfy { $0["is_reused"] as? Bool == false })
        let second = try nodes("two", ["amber", "birch", "cedar"])
        #expect(second.count == 2)
        #expect(second.filter { $0["is_reused"] as? Bool == true }.count == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["one", "tree", "two"])
    }

    @Test(arguments: [("64MiB", "hierarchical"), ("8GiB", "incremental")])
    func autoGoesByMemory(memory: String, strategy: String) throws {
        let folder = try TemporaryFolder()
        let run = try merge(folder.path + "/merged", ["--strategy", "auto", "--memory", memory, "--json"])
        #expect(run.status == 0, "\(run.errors)")
        let result = try #require(try run.object()["result"] as? [String: Any])
        let choice = try #require(result["strategy"] as? [String: Any])
        #expect(choice["strategy"] as? String == strategy)
        #expect((choice["reason"] as? String)?.contains("2 tasks") == true)
    }

    @Test(arguments: [["--fan-in", "1"], ["--memory", "0"], ["--memory", "much"], ["--strategy", "tree"]])
    func aTreeThatCantBeIsUsage(flags: [String]) throws {
        let folder = try TemporaryFolder()
        let run = try merge(folder.path + "/merged", flags)
        #expect(run.status == 2, "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/merged"))
    }

    @Test func sameInputsSameBytes() throws {
        let folder = try TemporaryFolder()
        for name in ["one", "two"] { #expect(try merge("\(folder.path)/\(name)").status == 0) }
        for file in ["model.safetensors", "merge/coefficients.safetensors"] {
            let bytes = try ["one", "two"].map { try Data(contentsOf: URL(filePath: "\(folder.path)/\($0)/\(file)")) }
            #expect(bytes[0] == bytes[1], "\(file)")
        }
    }

    @Test func aSlashBehindTheOutputChangesNothing() throws {
        let folder = try TemporaryFolder()
        let run = try merge(folder.path + "/merged//")
        #expect(run.status == 0, "\(run.errors)")
        #expect(FileManager.default.fileExists(atPath: folder.path + "/merged/release.json"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["merged"], "no scratch is left")
    }

    @Test func aFitThatOtherSettingsLeftBehindIsNotResumed() throws {
        let folder = try TemporaryFolder()
        let workshop = try Workshop.shared()
        let output = folder.path + "/merged"
        let tasks = ["amber", "birch"].flatMap { ["--task", workshop.task($0)] }
        let interrupted = try ChildProcess(
            Programs.merge,
            ["merge", "--base", workshop.base] + tasks
                + [
                    "--output", output, "--threads", "1", "--steps", "100000", "--patience", "100000",
                    "--learning-rate", "0.2",
                ], output: folder.path + "/out", errors: folder.path + "/err")
        try ChangeWatch([folder.path]).wait(for: "the scratch") {
            FileManager.default.fileExists(atPath: output + ".scratch")
        }
        try ChangeWatch([output + ".scratch"]).wait(for: "the saved fit") {
            FileManager.default.fileExists(atPath: output + ".scratch/fit.safetensors")
        }
        interrupted.kill()
        #expect(try merge(output).status == 0)
        #expect(try merge(folder.path + "/fresh").status == 0)
        let bytes = try [output, folder.path + "/fresh"].map {
            try Data(contentsOf: URL(filePath: $0 + "/merge/coefficients.safetensors"))
        }
        #expect(bytes[0] == bytes[1])
    }

    /// A limit of the length of files ends the program while it writes the weights.
    @Test func aMergeThatIsKilledLeavesNoHalfOfARelease() throws {
        let folder = try TemporaryFolder()
        let workshop = try Workshop.shared()
        let output = folder.path + "/merged"
        let command = [
            Programs.merge, "merge", "--base", workshop.base, "--task", workshop.task("amber"), "--output", output,
            "--method", "average",
        ]
        let killed = try Execution.run(
            "/bin/sh", ["-c", "ulimit -f 4; exec " + command.map { "'\($0)'" }.joined(separator: " ")])
        #expect(killed.status != 0, "\(killed.errors)")
        #expect(!FileManager.default.fileExists(atPath: output))
        #expect(try Execution.run(command[0], Array(command.dropFirst())).status == 0)
        #expect(FileManager.default.fileExists(atPath: output + "/release.json"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["merged"], "no scratch is left")
    }

    @Test func anEmptyFolderIsWrittenInto() throws {
        let folder = try TemporaryFolder()
        let output = folder.path + "/merged"
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: false)
        #expect(try merge(output, ["--method", "average"]).status == 0)
        #expect(FileManager.default.fileExists(atPath: output + "/release.json"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["merged"], "no scratch is left")
    }

    @Test(arguments: ["average", "task-arithmetic"]) func staticMethodsMergeToo(method: String) throws {
        let folder = try TemporaryFolder()
        let run = try merge(folder.path + "/merged", ["--method", method, "--json"])
        #expect(run.status == 0, "\(run.errors)")
        let coefficients = try #require(
            (try run.object()["result"] as? [String: Any])?["coefficients"] as? [String: [Double]])
        let expected = method == "average" ? 0.5 : 0.3
        #expect(coefficients.values.allSatisfy { $0.allSatisfy { abs($0 - expected) < 1e-9 } })
    }

    @Test(arguments: [
        ["--granularity", "row"], ["--loss", "distillation"], ["--loss", "both"], ["--precision", "bf16"],
    ]) func theFormsOfTheFitAllMerge(flags: [String]) throws {
        let folder = try TemporaryFolder()
        let run = try merge(folder.path + "/merged", flags + ["--json"])
        #expect(run.status == 0, "\(run.errors)")
        let tasks = (try run.object()["result"] as? [String: Any])?["tasks"] as? [[String: Any]] ?? []
        #expect(tasks.count == 2)
        for task in tasks {
            let values = ["base", "merged"].compactMap { (task[$0] as? [String: Any])?["value"] as? Double }
            #expect(values.count == 2 && values[1] > values[0], "\(task)")
        }
    }

    @Test func evaluateScoresReleaseBaseAndCheckpoint() throws {
        let folder = try TemporaryFolder()
        let workshop = try Workshop.shared()
        let output = folder.path + "/merged"
        #expect(try merge(output).status == 0)
        var values: [Double] = []
        for model in [workshop.base, output, workshop.task("amber")] {
            let run = try Execution.run(
                Programs.merge,
                [
                    "evaluate", "--model", model, "--task", workshop.task("amber"), "--data", workshop.test("amber"),
                    "--base", workshop.base, "--json",
                ])
            #expect(run.status == 0, "\(run.errors)")
            let line = try run.object()
            #expect(Set(line.keys) == ["task", "examples", "loss", "metric", "value"])
            #expect(line["task"] as? String == "amber" && line["examples"] as? Int == 192)
            #expect(line["metric"] as? String == "accuracy" && line["loss"] is Double)
            values.append(try #require(line["value"] as? Double))
        }
        #expect(values[0] < values[1] && values[1] <= values[2] + 0.05 && values[2] > 0.8, "\(values)")
    }

    @Test func foldersOfLinksAreReadThrough() throws {
        let folder = try TemporaryFolder()
        let workshop = try Workshop.shared()
        let files = FileManager.default
        for (name, source) in [("base", workshop.base), ("amber", workshop.task("amber"))] {
            try files.createDirectory(
                atPath: "\(folder.path)/hub/\(name)/snapshots/1", withIntermediateDirectories: true)
            try files.createDirectory(atPath: "\(folder.path)/hub/\(name)/blobs", withIntermediateDirectories: true)
            for (number, file) in try files.contentsOfDirectory(atPath: source).enumerated() {
                try files.copyItem(atPath: "\(source)/\(file)", toPath: "\(folder.path)/hub/\(name)/blobs/\(number)")
                try files.createSymbolicLink(
                    atPath: "\(folder.path)/hub/\(name)/snapshots/1/\(file)",
                    withDestinationPath: "../../blobs/\(number)")
            }
            try files.createSymbolicLink(
                atPath: "\(folder.path)/\(name)", withDestinationPath: "hub/\(name)/snapshots/1")
        }
        let (base, task, output) = (folder.path + "/base", folder.path + "/amber", folder.path + "/merged")
        let merged = try Execution.run(
            Programs.merge,
            ["merge", "--base", base, "--task", task, "--output", output, "--steps", "2", "--threads", "1"])
        #expect(merged.status == 0, "\(merged.errors)")
        #expect(files.fileExists(atPath: output + "/config.json") && files.fileExists(atPath: output + "/graph.pt2"))
        for model in [base, task, output] {
            let run = try Execution.run(
                Programs.merge, ["evaluate", "--model", model, "--task", task, "--base", base, "--json"])
            #expect(run.status == 0, "\(run.errors)")
            // A registry would take no links out of itself.
            let inspected = try Execution.run(Programs.merge, ["inspect", model])
            #expect(inspected.status == (model == output ? 0 : 1) && inspected.output.contains("F32"), "\(model)")
        }
        let tuned = try Execution.run(
            Programs.merge,
            [
                "finetune", "--base", base, "--data", task + "/validation.safetensors", "--output",
                folder.path + "/tuned", "--steps", "1", "--threads", "1",
            ])
        #expect(tuned.status == 0, "\(tuned.errors)")
    }

    @Test func inspectTellsWhatIsThere() throws {
        let workshop = try Workshop.shared()
        let run = try Execution.run(Programs.merge, ["inspect", workshop.base, "--json"])
        #expect(run.status == 0)
        let object = try run.object()
        let tensors = try TensorFile(path: workshop.base + "/model.safetensors").tensors
        #expect((object["tensors"] as? [Any])?.count == tensors.count)
        let graph = try #require(object["graph"] as? [String: Any])
        #expect((graph["operators"] as? [String])?.contains { $0.contains("aten.conv2d") } == true)
        #expect(graph["fault"] == nil)
        let words = try Execution.run(Programs.merge, ["inspect", workshop.task("amber") + "/model.safetensors"])
        #expect(words.status == 0 && words.output.contains("classifier.weight"))
        #expect((object["verdict"] as? [String: Any])?["outcome"] as? String == "admitted")
        for (flags, verdict) in [
            ([workshop.base], "would be admitted as a base"),
            ([workshop.task("amber")], "would be admitted as a task of \(workshop.base): 96 examples"),
            (
                [workshop.base, "--base", workshop.base],
                "would be refused as a task of \(workshop.base) (archive): `graph.pt2`"
            ),
        ] {
            let run = try Execution.run(Programs.merge, ["inspect"] + flags)
            let last = run.output.split(separator: "\n").last.map(String.init) ?? ""
            #expect(last.hasPrefix(verdict), "\(flags): \(run.errors)\(last)")
            #expect(run.status == (verdict.hasPrefix("would be refused") ? 1 : 0), "\(flags)")
        }
    }

    @Test func exitStatusesTellFailureFromUsage() throws {
        let folder = try TemporaryFolder()
        let workshop = try Workshop.shared()
        for arguments in [["merge"], ["merge", "--base", "x", "--output", "y"], ["no-such-command"], ["evaluate"]] {
            let run = try Execution.run(Programs.merge, arguments)
            #expect(run.status == 2 && run.output.isEmpty && !run.errors.isEmpty, "\(arguments): \(run.status)")
        }
        for task in ["..", workshop.root + "/tasks/..", "/", "-x/"] {
            let run = try Execution.run(
                Programs.merge, ["merge", "--base", workshop.base, "--task=\(task)", "--output", folder.path + "/y"])
            #expect(run.status == 1 || run.status == 2, "\(task): \(run.status)")
        }
        let classes = try Execution.run(
            Programs.merge,
            ["finetune", "--base", workshop.base, "--data", "x", "--output", "y", "--classes", "0"])
        #expect(classes.status == 2)
        let twice = try merge(folder.path + "/x", tasks: ["amber", "amber"])
        #expect(twice.status == 2)
        let nowhere = try Execution.run(Programs.merge, ["inspect", "/nonexistent", "--json"])
        #expect(nowhere.status == 1 && nowhere.output.isEmpty && nowhere.errors.contains("/nonexistent"))
        #expect(try merge(workshop.base).errors.contains("is not empty"))
        #expect(try merge(workshop.base).status == 1)
        #expect(try Execution.run(Programs.merge, ["--help"]).status == 0)
    }

    @Test func whatIsNotThereIsSaidInOneLine() throws {
        let folder = try TemporaryFolder()
        let workshop = try Workshop.shared()
        let file = folder.path + "/notes.txt"
        try Data("no model".utf8).write(to: URL(filePath: file))
        let score = ["evaluate", "--model", workshop.base, "--task"]
        let cases: [(arguments: [String], message: String)] = [
            (["inspect", "/nope"], "/nope: there is nothing of this name; name a model's folder"),
            (["inspect", file], "\(file): can't be looked into; name a model's folder"),
            (["inspect", workshop.base, "--base", "/nope"], "/nope: there is no such folder; check the path"),
            (["inspect", "/nope.safetensors"], "/nope.safetensors: there is nothing of this name"),
            (score + ["nope"], "there is no folder nope; name that of a task with --task"),
            (
                score + [workshop.base],
                "there are no examples (validation.safetensors, validation.jsonl, validation.csv) in \(workshop.base)"
            ),
            (["evaluate", "--model", "/nope", "--task", workshop.task("amber")], "there is no folder /nope; name"),
            (score + [workshop.task("amber"), "--data", "/nope"], "/nope"),
            (
                ["merge", "--base", "/nope", "--task", workshop.task("amber"), "--output", folder.path + "/x"],
                "/nope: there is no"
            ),
        ]
        for (arguments, message) in cases {
            let run = try Execution.run(Programs.merge, arguments)
            #expect(run.status == 1 && run.output.isEmpty, "\(arguments)")
            #expect(run.errors.split(separator: "\n").count == 1, "\(arguments): \(run.errors)")
            #expect(run.errors.contains(message), "\(arguments): \(run.errors)")
        }
    }

    @Test(arguments: ["0", "-5GB", "much", "1e9", "99999999TB", "nan", ""]) func aShardSizeThatCantBeIsUsage(
        size: String
    ) throws {
        let folder = try TemporaryFolder()
        let run = try merge(folder.path + "/merged", ["--max-shard-size=\(size)"])
        #expect(run.status == 2 && run.output.isEmpty, "\(run.errors)")
        let first = run.errors.split(separator: "\n").first ?? ""
        #expect(first.hasPrefix("Error: ") && first.contains(size == "0" ? "max-shard-size" : "size"), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/merged"))
    }

    /// Merged into shards, looked into, made again, and merged from.
    @Test func shardsGoOutAndIn() throws {
        let folder = try TemporaryFolder()
        let workshop = try Workshop.shared()
        let (whole, parts) = (folder.path + "/whole", folder.path + "/parts")
        #expect(try merge(whole).status == 0)
        let run = try merge(parts, ["--max-shard-size", "8kB"])
        #expect(run.status == 0, "\(run.errors)")
        let names = try FileManager.default.contentsOfDirectory(atPath: parts).filter { $0.hasPrefix("model") }
        #expect(names.count > 3 && !names.contains("model.safetensors"))
        var tensors: [String: TensorFile.Tensor] = [:]
        for name in names where name.hasSuffix(".safetensors") {
            tensors.merge(try TensorFile(path: "\(parts)/\(name)").tensors) { $1 }
        }
        let expected = try TensorFile(path: whole + "/model.safetensors").tensors
        #expect(Set(tensors.keys) == Set(expected.keys))
        for (name, tensor) in expected { #expect(tensors[name]?.floats == tensor.floats, "\(name)") }

        let inspected = try Execution.run(Programs.merge, ["inspect", parts, "--json"])
        #expect(inspected.status == 0, "\(inspected.errors)")
        #expect((try inspected.object()["files"] as? [String])?.sorted() == names.sorted())
        #expect((try inspected.object()["verdict"] as? [String: Any])?["outcome"] as? String == "admitted")
        let again = try Execution.run(Programs.merge, ["reproduce", parts])
        #expect(again.status == 0 && again.output.contains("the same bytes"), "\(again.output) \(again.errors)")

        var models: [Data] = []
        for base in [whole, parts] {
            let output = base + "-next"
            let next = try Execution.run(
                Programs.merge,
                [
                    "merge", "--base", base, "--task", workshop.task("cedar"), "--output", output, "--method",
                    "average",
                ])
            #expect(next.status == 0, "\(next.errors)")
            models.append(try Data(contentsOf: URL(filePath: output + "/model.safetensors")))
        }
        #expect(models[0] == models[1])
    }

    @Test func aFileThatIsNoModelIsOneLine() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/model.safetensors"
        try Data("{}".utf8).write(to: URL(filePath: path))
        let run = try Execution.run(Programs.merge, ["inspect", path])
        #expect(run.status == 1 && run.output.isEmpty)
        #expect(run.errors.split(separator: "\n").count == 1 && run.errors.contains(path))
    }
}
