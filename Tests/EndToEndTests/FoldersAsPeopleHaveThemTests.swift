import Files
import Foundation
import Safetensors
import Testing
import WorkerProtocol

/// Folders that transformers saved, with a table of examples and nothing else: admitted, merged and gated by the daemon
/// as those with the tensors that transformers makes of the table (Tools/make_example_folders.py).
@Suite struct FoldersAsPeopleHaveThemTests {
    private static let python = Python.with("torch transformers tokenizers safetensors")
    private static let script = Programs.package.appending(path: "Tools/make_example_folders.py").path
    private static let tokenizers = Programs.package.appending(path: "Tests/TokenizersTests/Fixtures")

    @Test(
        .enabled(if: python != nil, "no Python with torch and transformers; name one by SUPERMERGE_PYTHON"),
        arguments: [
            ("bert", "bert-uncased"), ("xlm-r", "xlm-r"), ("answers", "bert-uncased"), ("t5", "t5"),
            ("llama", "llama2"),
        ]
    ) func tablesAreJudgedAsTransformersTensors(kind: String, tokenizer: String) throws {
        let folder = try TemporaryFolder()
        let made = try Execution.run(
            try #require(Self.python),
            [Self.script, folder.path, kind, Self.tokenizers.appending(path: tokenizer + ".json").path])
        try #require(made.status == 0, "\(made.errors)")
        var results: [[TaskResult]] = []
        for hasTables in [true, false] {
            let site = try Site(steps: 8, base: folder.path + "/base")
            try site.start()
            for task in ["first", "second"] {
                try site.drop(task, of: "\(folder.path)/tasks/\(task)") { copy in
                    guard !hasTables else { return }
                    try useTensors("\(folder.path)/tensors/\(task).safetensors", in: copy, kind)
                }
                try site.settle("\(kind), \(task)")
            }
            #expect(site.current == "versions/2")
            results.append(try #require(try site.release()).record.result.tasks)
        }
        #expect(results[0].count == 2)
        for (table, tensors) in zip(results[0], results[1]) {
            for scores in [
                (table.own, tensors.own), (table.base, tensors.base), (table.deployed, tensors.deployed),
                (table.merged, tensors.merged),
            ] {
                #expect(scores.0?.metric == scores.1?.metric && scores.0?.examples == scores.1?.examples)
                let (first, second) = (scores.0?.value ?? -1, scores.1?.value ?? -1)
                #expect(kind == "t5" || kind == "llama" ? abs(first - second) <= 1e-3 : first == second, "\(scores)")
            }
            let (own, base) = (table.own?.value ?? 0, table.base?.value ?? 1)
            #expect(own > base + 0.2, "\(table.task): \(own), the base \(base)")
        }
    }

    /// Puts the tensors of transformers in place of the table. What tokens of a text stand for is no part of them, and
    /// comes from the program.
    private func useTensors(_ path: String, in folder: String, _ kind: String) throws {
        let tensors = folder + "/validation.safetensors"
        guard kind == "answers" else {
            try Durable.remove(folder + "/validation.jsonl")
            try FileManager.default.copyItem(atPath: path, toPath: tensors)
            return
        }
        let base = URL(filePath: folder).deletingLastPathComponent().path + "/registry/base"
        let run = try Execution.run(Programs.merge, ["encode", folder, "--base", base, "--output", tensors])
        try #require(run.status == 0, "\(run.errors)")
        try Durable.remove(folder + "/validation.jsonl")
        let (own, wanted) = (try TensorFile(path: tensors), try TensorFile(path: path))
        for (name, tensor) in wanted.tensors {
            #expect(try integers(own, name) == integers(wanted, name), "\(name)")
            #expect(own.tensors[name]?.shape == tensor.shape, "\(name)")
        }
    }

    private func integers(_ file: TensorFile, _ name: String) throws -> [Int64] {
        let tensor = try #require(file.tensors[name])
        let width = tensor.bytes.count / max(1, tensor.shape.reduce(1, *))
        return stride(from: 0, to: tensor.bytes.count, by: width).map { start in
            let bits = tensor.bytes[start..<start + width].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return width == 4 ? Int64(Int32(truncatingIfNeeded: bits)) : Int64(bitPattern: bits)
        }
    }
}
