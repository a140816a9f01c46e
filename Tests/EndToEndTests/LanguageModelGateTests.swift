import Files
import Foundation
import Testing

/// The gate command of docs/recipes.md with lm-evaluation-harness, as it stands there, on a tiny language model.
@Suite struct LanguageModelGateTests {
    private static let python = Python.with("lm_eval torch transformers datasets")
    private static let page = Programs.package.appending(path: "docs/recipes.md")
    private static let tokenizer = Programs.package.appending(path: "Tests/TokenizersTests/Fixtures/llama3.json")

    /// Writes a base with the index of weights that it does not bring, a candidate that answers every question with the
    /// same two tokens, and prints their text.
    private static let model = """
        import sys, torch
        from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
        base, candidate = sys.argv[1:]
        tokens = PreTrainedTokenizerFast(
            tokenizer_file=base + "/tokenizer.json", bos_token="<s>", eos_token="</s>", pad_token="<pad>")
        tokens.save_pretrained(base)
        model = LlamaForCausalLM(LlamaConfig(
            vocab_size=320, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1,
            num_key_value_heads=1, max_position_embeddings=256, bos_token_id=0, pad_token_id=1, eos_token_id=2))
        answer = tokens("a", add_special_tokens=False)["input_ids"][-1]
        with torch.no_grad():
            for name, tensor in model.named_parameters():
                tensor.fill_(0.0 if "layers" in name or "lm_head" in name else 1.0)
            model.lm_head.weight[answer] = 1.0
        model.config.save_pretrained(base)
        open(base + "/model.safetensors.index.json", "w").write('{"weight_map": {"x": "gone.safetensors"}}')
        model.save_pretrained(candidate)
        print(tokens.decode([answer, answer]))
        """

    private static let suite = """
        task: my_suite
        dataset_path: json
        dataset_kwargs: {data_files: {test: SUITE/questions.jsonl}}
        test_split: test
        output_type: generate_until
        doc_to_text: "{{question}}"
        doc_to_target: "{{answer}}"
        generation_kwargs: {until: ["\\n"], max_gen_toks: 2, do_sample: false}
        metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]

        """

    private func recipe(_ suite: String) throws -> String {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let blocks = text.components(separatedBy: "```python\n").dropFirst().compactMap {
            $0.components(separatedBy: "```").first
        }
        let recipe = try #require(blocks.first { $0.contains("import lm_eval") })
        try #require(recipe.contains("/etc/supermerge/suite"))
        return recipe.replacing("/etc/supermerge/suite", with: suite)
    }

    @Test(.enabled(if: python != nil, "no Python with lm_eval, torch, transformers and datasets; SUPERMERGE_PYTHON"))
    func theRecipeAcceptsAndRefuses() throws {
        let python = try #require(Self.python)
        let folder = try TemporaryFolder()
        let (base, candidate, suite) = (folder.path + "/base", folder.path + "/candidate", folder.path + "/suite")
        for path in [base, candidate, suite] { try Durable.createDirectories(path) }
        try FileManager.default.copyItem(atPath: Self.tokenizer.path, toPath: base + "/tokenizer.json")
        let made = try Execution.run(python, ["-c", Self.model, base, candidate])
        let answer = made.output.split(separator: "\n").last.map(String.init) ?? ""
        try #require(made.status == 0 && !answer.isEmpty, "\(made.errors)")
        try Data(Self.suite.replacing("SUITE", with: suite).utf8).write(to: URL(filePath: suite + "/my_suite.yaml"))
        try Data(try recipe(suite).utf8).write(to: URL(filePath: folder.path + "/judge"))
        let question = #"{"candidate": "\#(candidate)", "base": "\#(base)", "tasks": []}"#
        try Data(question.utf8).write(to: URL(filePath: folder.path + "/question"))

        for (answers, verdict, value) in [([answer, answer], "accept", 1.0), ([answer, "no"], "refuse", 0.5)] {
            let lines = answers.map { #"{"question": "say it", "answer": "\#($0)"}"# + "\n" }.joined()
            try Data(lines.utf8).write(to: URL(filePath: suite + "/questions.jsonl"))
            let run = try Execution.run(
                "/bin/sh", ["-c", "'\(python)' \(folder.path)/judge < \(folder.path)/question"],
                environment: ["HOME": folder.path, "TMPDIR": folder.path])
            #expect(run.status == 0, "\(run.errors.suffix(2000))")
            let said = try #require(try run.object()["tasks"] as? [String: [String: Any]])["my_suite"]
            #expect(try run.object()["verdict"] as? String == verdict, "\(run.output)")
            #expect(said?["value"] as? Double == value && said?["minimum"] as? Double == 0.8, "\(run.output)")
        }
    }
}
