import Files
import Foundation
import Testing

/// A base that sentence-transformers saved, tasks of pairs with scores, and a release that it loads.
@Suite struct SentenceTransformersTests {
    private static let fixture = Programs.package.appending(path: "Tests/MergingTests/Fixtures/similarity").path
    private static let script = Programs.package.appending(path: "Tools/make_similarity_fixtures.py").path
    private static let python = Python.with("torch transformers sentence_transformers")

    /// A deployment of the fixture's base, without tasks.
    private func site() throws -> Site {
        let site = try Site(steps: 4)
        try FileManager.default.removeItem(atPath: site.registry + "/base")
        try site.copy(Self.fixture + "/base", to: site.registry + "/base")
        return site
    }

    /// Uploads a fine-tune of the fixture with its table of examples, or with another one.
    private func drop(
        _ task: String, as name: String, _ site: Site, settings: String? = nil, table: String? = nil
    ) throws {
        let staging = site.registry + "/tasks/.\(name)"
        try site.copy("\(Self.fixture)/\(task)", to: staging)
        try FileManager.default.removeItem(atPath: staging + "/validation.safetensors")
        if let settings { try Data(settings.utf8).write(to: URL(filePath: staging + "/task.yaml")) }
        if let table { try Data(table.utf8).write(to: URL(filePath: staging + "/validation.jsonl")) }
        try Durable.rename(staging, to: site.path(name))
    }

    private func evaluate(_ model: String, _ task: String, _ flags: String...) throws -> [String: Any] {
        let arguments = ["evaluate", "--model", model, "--task", task, "--threads", "1", "--json"] + flags
        let run = try Execution.run(Programs.merge, arguments)
        #expect(run.status == 0, "\(run.errors)")
        return try run.object()
    }

    @Test func aReleaseIsFittedJudgedAndLoadedBySentenceTransformers() throws {
        let site = try site()
        try site.start()
        for task in ["first", "second"] {
            try drop(task, as: task, site)
            try site.settle()
        }
        #expect(site.current == "versions/2")
        let record = try #require(try site.release()?.record)
        for task in record.result.tasks {
            #expect(task.merged?.metric == "spearman" && task.own != nil && task.base != nil)
        }
        for file in ["modules.json", "1_Pooling/config.json", "2_Normalize/config.json", "tokenizer.json"] {
            #expect(try site.bytes(site.deployed(file)) == site.bytes(Self.fixture + "/base/" + file), "\(file)")
        }
        #expect(!FileManager.default.fileExists(atPath: site.deployed("heads/first.safetensors")))
        let card = try Execution.text(site.deployed("README.md"))
        #expect(card.contains("SentenceTransformer(\".\")"))
        let base = site.registry + "/base"
        for task in ["first", "second"] {
            let table = try evaluate(site.deploy + "/current", site.path(task), "--base", base)
            let tensors = try evaluate(
                site.deploy + "/current", site.path(task), "--base", base, "--data",
                "\(Self.fixture)/\(task)/validation.safetensors")
            #expect(table["metric"] as? String == "spearman")
            #expect(table["loss"] as? Double == tensors["loss"] as? Double)
            #expect(table["value"] as? Double == tensors["value"] as? Double)
            guard let python = Self.python else { continue }
            let run = try Execution.run(
                python, [Self.script, "--score", site.deploy + "/current", site.path(task, "validation.jsonl")],
                environment: ["OMP_NUM_THREADS": "1"], within: .seconds(600))
            #expect(run.status == 0, "\(run.errors)")
            let line = try #require(run.output.split(separator: "\n").last)
            let told = try JSONDecoder().decode([String: Double].self, from: Data(line.utf8))
            for (name, key) in [("loss", "loss"), ("spearman", "value")] {
                let (found, expected) = (try #require(table[key] as? Double), try #require(told[name]))
                #expect(abs(found - expected) < 1e-4, "\(task) \(name): \(found), not \(expected)")
            }
        }
    }

    @Test func whatGivesNoCosineIsRefusedWithWhatToDo() throws {
        let site = try site()
        try site.start()
        let pair = #"{"sentence1": "word1 word2", "sentence2": "word3", "score": "#
        try drop("first", as: "stars", site, table: "\(pair)0.5}\n\(pair)4.5}\n")
        try drop("first", as: "single", site, table: "{\"text\": \"word1\", \"score\": 0.5}\n")
        try drop("first", as: "classes", site, settings: "objective: classification\n")
        try drop("first", as: "metric", site, settings: "objective: similarity\nmetric: accuracy\n")
        try site.rescan()
        let refused = try site.ledger(.refused)
        for (task, words) in [
            ("stars", ["4.5", "no cosine reaches", "1/5"]), ("single", ["no pair of texts", "sentence1"]),
            ("classes", ["classifier.weight"]), ("metric", ["accuracy", "spearman, pearson"]),
        ] {
            let message = try #require(refused.last { $0.task == task }?.message, "\(task)")
            for word in words { #expect(message.contains(word), "\(message)") }
        }
        #expect(site.current == nil)
    }

    /// The module's weights lie in a folder of their own: they are passed on as they are, not merged, and a task that
    /// changes them is refused.
    @Test func aDenseModuleOfTheBaseIsPassedOnAndLoads() throws {
        let site = try site()
        let base = site.registry + "/base"
        let modules = try Execution.text(base + "/modules.json").replacing("2_Normalize", with: "2_Dense")
            .replacing(
                "sentence_transformers.base.modules.normalize.Normalize", with: "sentence_transformers.models.Dense")
        try Data(modules.utf8).write(to: URL(filePath: base + "/modules.json"))
        try FileManager.default.removeItem(atPath: base + "/2_Normalize")
        try Durable.createDirectories(base + "/2_Dense")
        let settings = #"""
            {"in_features": 16, "out_features": 3, "bias": true,
             "activation_function": "torch.nn.modules.linear.Identity"}
            """#
        try Data(settings.utf8).write(to: URL(filePath: base + "/2_Dense/config.json"))
        var dense = TensorFile([
            "linear.weight": .init((0..<48).map { Float($0) / 48 }, [3, 16]), "linear.bias": .init([1, 2, 3], [3]),
        ])
        try dense.write(base + "/2_Dense/model.safetensors")
        site.merge = ["method": "average", "threads": "1"]
        try site.writeConfiguration()
        try site.start()

        let plain = "objective: classification\n"
        for (name, bias) in [("same", [1, 2, 3] as [Float]), ("other", [1, 2, 4])] {
            dense.tensors["linear.bias"] = .init(bias, [3])
            let staging = site.registry + "/tasks/.\(name)"
            try site.copy("\(Self.fixture)/first", to: staging)
            for file in ["validation.safetensors", "validation.jsonl"] {
                try FileManager.default.removeItem(atPath: "\(staging)/\(file)")
            }
            try Data(plain.utf8).write(to: URL(filePath: staging + "/task.yaml"))
            var task = try TensorFile(path: staging + "/model.safetensors")
            task.tensors["classifier.weight"] = .init([Float](repeating: 0.5, count: 32), [2, 16])
            task.tensors["classifier.bias"] = .init([0, 0], [2])
            try task.write(staging + "/model.safetensors")
            try Durable.createDirectories(staging + "/2_Dense")
            try dense.write(staging + "/2_Dense/model.safetensors")
            try Durable.rename(staging, to: site.path(name))
        }
        try site.rescan()
        let refusal = try #require(try site.ledger(.refused).last { $0.task == "other" }?.message)
        #expect(refusal.contains("2_Dense"), "\(refusal)")
        #expect(try site.release()?.record.tasks.map(\.name) == ["same"])
        for file in ["modules.json", "2_Dense/config.json", "2_Dense/model.safetensors"] {
            #expect(try site.bytes(site.deployed(file)) == site.bytes("\(base)/\(file)"), "\(file)")
        }
        guard let python = Self.python else { return }
        let script = """
            import sys
            from sentence_transformers import SentenceTransformer
            model = SentenceTransformer(sys.argv[1])
            print([type(module).__name__ for module in model], model.encode(["word1 word2"]).shape)
            print(model[2].linear.bias.tolist())
            """
        let run = try Execution.run(
            python, ["-c", script, site.deploy + "/current"], environment: ["OMP_NUM_THREADS": "1"],
            within: .seconds(600))
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.hasSuffix("['Transformer', 'Pooling', 'Dense'] (1, 3)\n[1.0, 2.0, 3.0]\n"), "\(run.output)")
    }

    @Test func modulesThatAreNotBuiltAreRefusedByNameWhenASimilarityArrives() throws {
        let site = try site()
        let path = site.registry + "/base/modules.json"
        let modules = try Execution.text(path)
        try Data(modules.replacing(".Normalize", with: ".LayerNorm").utf8).write(to: URL(filePath: path))
        try site.start()
        try drop("first", as: "first", site)
        try site.rescan()
        let message = try #require(try site.ledger(.refused).last { $0.task == "first" }?.message)
        for word in ["LayerNorm", "embedding of each text"] { #expect(message.contains(word), "\(message)") }
    }
}
