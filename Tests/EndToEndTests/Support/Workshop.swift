import Foundation

/// A base model and real fine-tunes of it, made once by `supermerge finetune`: a vision transformer of 7,000
/// parameters, and tasks that each tell three noisy patterns of their own apart.
struct Workshop: Sendable {
    static let taskNames = ["amber", "birch", "cedar", "dune"]
    private static let made = Result { try Workshop() }
    private static let classes = 3
    private static let pixels = 3 * 12 * 12

    let root: String
    var base: String { root + "/base" }

    /// The workshop of this test run.
    static func shared() throws -> Workshop { try made.get() }

    /// Folder of a task: `model.safetensors` and `validation.safetensors`.
    func task(_ name: String) -> String { "\(root)/tasks/\(name)" }

    /// Labelled examples that were in no training and in no validation set.
    func test(_ name: String) -> String { "\(root)/test/\(name).safetensors" }

    private init() throws {
        root = "/tmp/sm-e2e-workshop-\(UUID().uuidString.prefix(8))"
        Self.removeAtExit(root)
        let files = FileManager.default
        for folder in ["base", "tasks", "train", "test"] {
            try files.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
        try files.copyItem(atPath: Programs.tinyModel + "/graph.pt2", toPath: base + "/graph.pt2")
        var weights = try TensorFile(path: Programs.tinyModel + "/model.safetensors")
        weights.tensors = weights.tensors.filter { !$0.key.hasPrefix("classifier.") }
        try weights.write(base + "/model.safetensors")
        try Data(#"{"model_type": "vit", "image_size": 12}"#.utf8).write(to: URL(filePath: base + "/config.json"))
        for (number, name) in Self.taskNames.enumerated() { try train(name, seed: UInt64(number + 1)) }
    }

    private func train(_ name: String, seed: UInt64) throws {
        var random = Randomness(seed: seed)
        let patterns = (0..<Self.classes).map { _ in random.normals(Self.pixels, scale: 1.2) }
        let data = "\(root)/train/\(name).safetensors"
        try Self.examples(384, of: patterns, &random).write(data)
        let run = try Execution.run(
            Programs.merge,
            [
                "finetune", "--base", base, "--data", data, "--output", task(name), "--steps", "60", "--batch", "32",
                "--learning-rate", "0.002", "--classes", "\(Self.classes)", "--threads", "1",
            ])
        guard run.status == 0 else { throw ChildProcess.Failure(description: "finetune: \(run.errors)") }
        try Self.examples(96, of: patterns, &random).write(task(name) + "/validation.safetensors")
        try Self.examples(192, of: patterns, &random).write(test(name))
    }

    private static func examples(_ count: Int, of patterns: [[Float]], _ random: inout Randomness) -> TensorFile {
        let labels = (0..<count).map { _ in Int.random(in: 0..<classes, using: &random) }
        let values = labels.flatMap { label in zip(patterns[label], random.normals(pixels)).map { $0 + $1 } }
        return TensorFile([
            "pixel_values": .init(values, [count, 3, 12, 12]), "labels": .init(labels.map { Int64($0) }),
        ])
    }

    private nonisolated(unsafe) static var root = ""

    private static func removeAtExit(_ path: String) {
        root = path
        atexit { try? FileManager.default.removeItem(atPath: Workshop.root) }
    }
}
