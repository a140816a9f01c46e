import Foundation
import Testing

/// Releases of adapters that are written as one adapter, too.
@Suite struct MergedAdapterTests {
    private static let names = ["adapter/adapter_config.json", "adapter/adapter_model.safetensors"]
    private static let fixtures = Programs.package.appending(path: "Tests/MergingTests/Fixtures/adapters").path

    /// A Python that has PEFT.
    private static let python = Python.with("peft safetensors torch")

    /// PEFT folds each `output/adapter` into the base: that is the merged model.
    private func expectTheModels(_ pairs: [(base: String, output: String)]) throws {
        guard let python = Self.python else { return }
        let script = Programs.package.appending(path: "Tools/check_adapter.py").path
        let arguments = pairs.flatMap {
            [$0.base + "/model.safetensors", $0.output + "/adapter", $0.output + "/model.safetensors"]
        }
        let run = try Execution.run(python, [script] + arguments)
        #expect(run.status == 0, "\(run.errors)")
        let differences = run.output.split(separator: "\n").compactMap { Double($0) }
        #expect(differences.count == pairs.count && differences.allSatisfy { $0 < 1e-6 }, "\(run.output)")
    }

    @Test func aReleaseHoldsItAndADropOfFullWeightsIsRefused() throws {
        let site = try Site(steps: 15, merge: ["adapter": "true"])
        for task in ["amber", "birch"] { try site.drop(task, edit: AdapterFolder.adapt) }
        let daemon = try site.start()
        try site.settle()
        #expect(site.current == "versions/1")
        let record = try #require(try site.release()?.record)
        #expect(record.settings.writesAdapter)
        #expect(record.result.outputs.map(\.name).filter { $0.hasPrefix("adapter/") } == Self.names)
        #expect(try site.control("verify").status == 0)
        let reproduced = try site.control("reproduce", "1")
        #expect(reproduced.status == 0, "\(reproduced.output) \(reproduced.errors)")
        try expectTheModels([(site.registry + "/base", site.deploy + "/current")])

        // As a task of its own, taken whole, it is the release again.
        let task = site.folder.path + "/whole"
        let again = site.folder.path + "/again"
        try site.copy(site.deploy + "/current/adapter", to: task)
        // Without a graph no head is asked for, which the merged adapter has not.
        let bare = site.folder.path + "/bare"
        try FileManager.default.createDirectory(atPath: bare, withIntermediateDirectories: true)
        try site.copy(site.registry + "/base/model.safetensors", to: bare + "/model.safetensors")
        let run = try Execution.run(
            Programs.merge,
            [
                "merge", "--base", bare, "--task", task, "--output", again, "--method",
                "task-arithmetic", "--scale", "1",
            ])
        #expect(run.status == 0, "\(run.errors)")
        let (own, expected) = try (
            TensorFile(path: again + "/model.safetensors").tensors,
            TensorFile(path: site.deployed("model.safetensors")).tensors
        )
        for (name, tensor) in expected {
            let values = try #require(own[name]?.floats)
            #expect(zip(values, tensor.floats).allSatisfy { abs($0 - $1) < 1e-6 }, "\(name)")
        }

        try site.drop("cedar")
        try site.settle(status: 3)
        let refusal = try #require(try site.ledger(.refused).last)
        #expect(refusal.task == "cedar" && refusal.message.contains("one adapter"), "\(refusal.message)")
        #expect(try site.release()?.record.tasks.map(\.name) == ["amber", "birch"])

        // Without the key it is merged; and set again it costs the release no task.
        for value in ["false", "true"] {
            let count = try site.ledger(.configurationLoaded).count
            site.merge["adapter"] = value
            try site.writeConfiguration()
            daemon.process.signal(SIGHUP)
            try site.ledgerWatch().wait(for: "the configuration") {
                try site.ledger(.configurationLoaded).count > count
            }
            try site.settle(value, status: value == "true" ? 3 : 0)
            #expect(site.current == "versions/2")
            #expect(try site.release()?.record.tasks.map(\.name) == ["amber", "birch", "cedar"])
        }
        let status = try site.control("status").output
        #expect(status.contains("waiting for task cedar") && status.contains("one adapter"), "\(status)")
        #expect(!FileManager.default.fileExists(atPath: site.deployed("adapter")))
    }

    /// A copy of a fixture whose classifier, where it has one, is the task's own: the base has none.
    private func headed(_ name: String, in folder: String) throws -> String {
        let copy = "\(folder)/\(name)"
        let parent = URL(filePath: copy).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: "\(Self.fixtures)/\(name)", toPath: copy)
        let tensors = try TensorFile(path: copy + "/adapter_model.safetensors").tensors
        if tensors.keys.contains(where: { $0.contains("classifier") }) {
            try Data("head: [classifier.]\n".utf8).write(to: URL(filePath: copy + "/task.yaml"))
        }
        return copy
    }

    @Test(.enabled(if: python != nil, "no Python with PEFT")) func pEFTLoadsThem() throws {
        let folder = try TemporaryFolder()
        let cases = [
            ["lora", "rslora"], ["embedding", "biases"], ["convolution", "lora-bias"], ["adapted-biases", "saved"],
            ["turned/lora"], ["ia3", "ia3-convolution"], ["turned/ia3"], ["turned/ia3-inputs"],
        ]
        let pairs = try cases.enumerated().map { place, names in
            let base = Self.fixtures + (names[0].hasPrefix("turned/") ? "/turned/base" : "/base")
            let output = "\(folder.path)/\(place)"
            let tasks = try names.map { try headed($0, in: "\(folder.path)/tasks-\(place)") }
            let run = try Execution.run(
                Programs.merge,
                ["merge", "--base", base, "--output", output, "--method", "task-arithmetic", "--adapter"]
                    + tasks.flatMap { ["--task", $0] })
            #expect(run.status == 0, "\(names): \(run.errors)")
            return (base, output)
        }
        try expectTheModels(pairs)
    }

    @Test func contradictionsAreUsageErrors() throws {
        for flags in [["--method", "ties"], ["--granularity", "element"]] {
            let run = try Execution.run(
                Programs.merge,
                ["merge", "--base", "/nowhere", "--task", "/nowhere/a", "--output", "/nowhere/o", "--adapter"] + flags)
            #expect(run.status == 2 && run.errors.contains("adapter can't be had with"), "\(run.errors)")
        }
    }
}
