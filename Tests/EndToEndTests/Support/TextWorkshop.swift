import Foundation

/// A tiny BERT with a tokenizer, and fine-tunes of it whose examples are tables: `sentiment` with validation.jsonl,
/// `topics` with validation.csv. Made once by the programs alone.
struct TextWorkshop: Sendable {
    private static let made = Result { try TextWorkshop() }
    static func shared() throws -> TextWorkshop { try made.get() }

    private static let words: [String: [String]] = [
        "negative": ["dreadful", "boring", "awful", "bad"], "positive": ["wonderful", "lovely", "great", "superb"],
        "food": ["bread", "soup", "cheese", "wine"], "money": ["bank", "stock", "price", "coin"],
        "sport": ["goal", "team", "match", "ball"],
    ]
    private static let filling = ["the", "film", "was", "a", "it", "and", "in", "of", "very", "story", "we", "saw"]
    private static let tokenizer = Programs.package.appending(path: "Tests/TokenizersTests/Fixtures/bert-uncased.json")
    private static let configuration = #"""
        "model_type": "bert", "vocab_size": 320, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 64, "max_position_embeddings": 64, "type_vocab_size": 2, "hidden_act": "gelu",
        "layer_norm_eps": 1e-12, "pad_token_id": 0
        """#

    let root: String
    var base: String { root + "/base" }

    /// Folder of a task: `model.safetensors`, `config.json` with the names of the classes, and a table of examples.
    func task(_ name: String) -> String { "\(root)/tasks/\(name)" }

    private init() throws {
        root = "/tmp/sm-e2e-texts-\(UUID().uuidString.prefix(8))"
        Self.removeAtExit(root)
        for folder in ["base", "tasks/sentiment", "tasks/topics", "seed", "train"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
        try Self.write("{\(Self.configuration)}", base + "/config.json")
        try FileManager.default.copyItem(atPath: Self.tokenizer.path, toPath: base + "/tokenizer.json")
        try Self.write(#"{"model_max_length": 64, "pad_token": "[PAD]"}"#, base + "/tokenizer_config.json")
        var random = Randomness(seed: 3)
        // A base that has learned nothing yet, whose tokenizer already encodes.
        let ids = (0..<64).map { _ in Int64.random(in: 5..<320, using: &random) }
        var seed = TensorFile([
            "input_ids": .init(ids), "attention_mask": .init(ids.map { _ in 1 }), "labels": .init([0, 1, 0, 1]),
        ])
        for name in ["input_ids", "attention_mask"] { seed.tensors[name]?.shape = [4, 16] }
        try seed.write(root + "/seed.safetensors")
        try run(
            "finetune", "--base", base, "--data", root + "/seed.safetensors", "--output", root + "/seed", "--steps",
            "2",
            "--batch", "4", "--threads", "1", "--without", "classifier.")
        try FileManager.default.moveItem(atPath: root + "/seed/model.safetensors", toPath: base + "/model.safetensors")
        try train("sentiment", ["negative", "positive"], isCSV: false, &random)
        try train("topics", ["food", "money", "sport"], isCSV: true, &random)
    }

    private func train(_ name: String, _ classes: [String], isCSV: Bool, _ random: inout Randomness) throws {
        let folder = task(name)
        let labels = classes.enumerated().map { "\"\($0.offset)\": \"\($0.element)\"" }.joined(separator: ", ")
        try Self.write("{\(Self.configuration), \"id2label\": {\(labels)}}", folder + "/config.json")
        try Self.write(Self.table(classes, 384, isCSV: false, &random), folder + "/validation.jsonl")
        let data = "\(root)/train/\(name).safetensors"
        try run("encode", folder, "--base", base, "--output", data)
        try FileManager.default.removeItem(atPath: folder + "/validation.jsonl")
        let output = "\(root)/train/\(name)"
        try run(
            "finetune", "--base", base, "--data", data, "--output", output, "--steps", "120", "--batch", "32",
            "--learning-rate", "0.003", "--threads", "1")
        try FileManager.default.moveItem(atPath: output + "/model.safetensors", toPath: folder + "/model.safetensors")
        let file = isCSV ? "validation.csv" : "validation.jsonl"
        try Self.write(Self.table(classes, 96, isCSV: isCSV, &random), "\(folder)/\(file)")
    }

    private static func table(
        _ classes: [String], _ count: Int, isCSV: Bool, _ random: inout Randomness
    ) -> String {
        let rows = (0..<count).map { _ in
            let label = classes.randomElement(using: &random) ?? ""
            var text = (0..<Int.random(in: 3...9, using: &random)).map { _ in
                filling.randomElement(using: &random) ?? ""
            }
            text.insert(words[label]?.randomElement(using: &random) ?? "", at: text.count / 2)
            let sentence = text.joined(separator: " ")
            return isCSV ? "\"\(sentence)\",\(label)" : "{\"text\": \"\(sentence)\", \"label\": \"\(label)\"}"
        }
        return ((isCSV ? ["sentence,label"] : []) + rows).joined(separator: "\n") + "\n"
    }

    private func run(_ arguments: String...) throws {
        let run = try Execution.run(Programs.merge, arguments)
        guard run.status == 0 else { throw ChildProcess.Failure(description: "\(arguments): \(run.errors)") }
    }

    private static func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    private nonisolated(unsafe) static var root = ""

    private static func removeAtExit(_ path: String) {
        root = path
        atexit { try? FileManager.default.removeItem(atPath: TextWorkshop.root) }
    }
}
