import Foundation
import Testing

/// A Llama-shaped model whose task brings conversations: made, inspected, merged and scored by the programs alone.
@Suite struct ConversationTests {
    private static let fixtures = Programs.package.appending(path: "Tests")
    private static let configuration = #"""
        {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 320, "hidden_size": 32,
         "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2, "intermediate_size": 64,
         "max_position_embeddings": 128, "hidden_act": "silu", "rms_norm_eps": 1e-6, "tie_word_embeddings": false,
         "bos_token_id": 0, "eos_token_id": 2}
        """#

    private func write(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }

    @discardableResult
    private func run(_ arguments: String...) throws -> Execution {
        let run = try Execution.run(Programs.merge, arguments)
        #expect(run.status == 0, "\(arguments): \(run.output) \(run.errors)")
        return run
    }

    /// A base with a tokenizer and a chat template that has learned nothing.
    private func makeBase(_ root: String) throws -> String {
        let base = root + "/base"
        try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
        try write(Self.configuration, base + "/config.json")
        try write(
            #"{"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}"#, base + "/tokenizer_config.json")
        for (from, name) in [
            ("TokenizersTests/Fixtures/llama3.json", "tokenizer.json"),
            ("ExamplesTests/Fixtures/chat/mistral.jinja", "chat_template.jinja"),
        ] {
            try FileManager.default.copyItem(
                atPath: Self.fixtures.appending(path: from).path, toPath: "\(base)/\(name)")
        }
        var random = Randomness(seed: 5)
        let ids = (0..<64).map { _ in Int64.random(in: 5..<320, using: &random) }
        var seed = TensorFile([
            "input_ids": .init(ids), "attention_mask": .init(ids.map { _ in 1 }), "labels": .init(ids),
        ])
        for name in ["input_ids", "attention_mask", "labels"] { seed.tensors[name]?.shape = [4, 16] }
        try seed.write(root + "/seed.safetensors")
        try run(
            "finetune", "--base", base, "--data", root + "/seed.safetensors", "--output", root + "/seed", "--steps",
            "2",
            "--batch", "4", "--threads", "1")
        try FileManager.default.moveItem(atPath: root + "/seed/model.safetensors", toPath: base + "/model.safetensors")
        return base
    }

    /// A task of conversations that has learned their answers.
    private func makeTask(_ root: String, base: String, settings: String) throws -> String {
        let task = root + "/sums"
        try FileManager.default.createDirectory(atPath: task, withIntermediateDirectories: true)
        let rows = (0..<32).map { number in
            #"{"messages": [{"role": "user", "content": "what is \#(number) and one?"}, "#
                + #"{"role": "assistant", "content": "\#(number + 1)"}, {"role": "user", "content": "thanks"}, "#
                + #"{"role": "assistant", "content": "gladly"}]}"#
        }
        try write(rows.joined(separator: "\n"), task + "/validation.jsonl")
        try write(settings, task + "/task.yaml")
        let data = root + "/train.safetensors"
        let encoding = try run("encode", task, "--base", base, "--output", data)
        #expect(encoding.output.contains("</s> → Ġ 1 </s> Ġ"), "\(encoding.output)")
        // `finetune` knows no objective: each label is for its own place there, and for the place before it in a merge.
        var training = try TensorFile(path: data)
        let labels = try #require(training.tensors["labels"])
        let words = Array(labels.bytes.dropFirst(4)) + withUnsafeBytes(of: Int32(-100)) { Array($0) }
        training.tensors["labels"]?.bytes = words
        try training.write(data)
        try run(
            "finetune", "--base", base, "--data", data, "--output", root + "/trained", "--steps", "80",
            "--batch",
            "16", "--learning-rate", "0.005", "--threads", "1")
        try FileManager.default.moveItem(
            atPath: root + "/trained/model.safetensors", toPath: task + "/model.safetensors")
        return task
    }

    @Test func conversationsAreMergedAndScored() throws {
        let folder = try TemporaryFolder()
        let base = try makeBase(folder.path)
        let task = try makeTask(folder.path, base: base, settings: "objective: language-modeling\n")
        let inspection = try run("inspect", task, "--base", base)
        #expect(inspection.output.contains("  example: <s> [ I N S T ] Ġ"), "\(inspection.output)")
        let merged = folder.path + "/merged"
        try run("merge", "--base", base, "--task", task, "--output", merged, "--steps", "8", "--threads", "1")
        func value(_ model: String) throws -> Double {
            let score = try run("evaluate", "--model", model, "--task", task, "--base", base, "--json").object()
            #expect(score["metric"] as? String == "token-accuracy" && score["examples"] as? Int == 32)
            return try #require(score["value"] as? Double)
        }
        let before = try value(base)
        #expect(try value(task) > before + 0.2)
        #expect(try value(merged) > before)
    }

    @Test func theGateJudgesWhatIsWritten() throws {
        let folder = try TemporaryFolder()
        let base = try makeBase(folder.path)
        let task = try makeTask(
            folder.path, base: base, settings: "objective: generation\nmetric: f1\nmax-new-tokens: 8\n")
        let site = try Site(steps: 4, base: base)
        try site.start()
        try site.drop("sums", of: task)
        try site.settle()
        let result = try #require(try site.release()?.record.result.tasks.first)
        let (before, own) = (try #require(result.base), try #require(result.own))
        #expect(own.metric == "f1-squad" && own.value > before.value + 0.5, "\(before) \(own)")
        #expect(result.merged?.metric == "f1-squad" && (result.merged?.value ?? 0) > before.value)
        let published = try #require(try site.ledger(.published).last)
        #expect("\(published.details)".contains("f1-squad"), "\(published.details)")
        #expect(try Execution.text(site.deploy + "/current/report.html").contains("f1-squad"))

        let written = folder.path + "/written.jsonl"
        try run(
            "evaluate", "--model", task, "--task", task, "--base", base, "--predictions", written)
        let lines = try Execution.text(written).split(separator: "\n")
        #expect(lines.count == 32)
        #expect(lines.allSatisfy { $0.contains(#"gladly"]"#) }, "\(lines.first ?? "")")
    }

    @Test func aTemplateThatIsNotUnderstoodIsRefusedByName() throws {
        let folder = try TemporaryFolder()
        let base = try makeBase(folder.path)
        let task = folder.path + "/sums"
        try FileManager.default.createDirectory(atPath: task, withIntermediateDirectories: true)
        try write(
            #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}"#,
            task + "/validation.jsonl")
        try write("objective: language-modeling\n", task + "/task.yaml")
        try write("{% import 'x' as y %}", base + "/chat_template.jinja")
        let run = try Execution.run(Programs.merge, ["encode", task, "--base", base])
        #expect(run.status == 1)
        #expect(run.errors.contains("refused (unsupported-tokenizer)"), "\(run.errors)")
        #expect(run.errors.contains("chat template: line 1: unsupported tag 'import'"), "\(run.errors)")
    }
}
