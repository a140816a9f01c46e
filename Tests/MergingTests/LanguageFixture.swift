import Files
import Foundation
import Safetensors
import WorkerProtocol

@testable import Merging

/// A registry over the tiny language model of the neighbouring tests' fixtures, whose embedding is tied to its output
/// layer.
struct LanguageFixture {
    static let embedding = "model.embed_tokens.weight"
    static let output = "lm_head.weight"

    let base: ModelFolder
    let task: ModelFolder
    var plan: MergePlan

    /// The base holds the embedding alone. The task is the base with noise, and 12 sequences to continue.
    init(in directory: String) throws {
        let source = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "ExportedModelTests/Fixtures/llama").path
        base = try ModelFolder(newAt: directory + "/base")
        for file in ["graph.pt2", "model.safetensors"] {
            try FileManager.default.copyItem(atPath: "\(source)/\(file)", toPath: "\(base.path)/\(file)")
        }
        task = try ModelFolder(newAt: directory + "/poems")
        var tensors = try base.tensors()
        var random = SeededRandom(state: 11)
        for (name, content) in tensors.sorted(by: { $0.key < $1.key }) {
            let values = content.values(Float.self).map { $0 + 0.1 * random.uniform() }
            tensors[name] = .init(values, .f32, shape: content.shape)
        }
        try task.write(tensors)
        let tokens = (0..<12 * 6).map { _ in Int64.random(in: 0..<32, using: &random) }
        try task.write(
            [
                "input_ids": .init(tokens, .i64, shape: [12, 6]),
                "attention_mask": .init([Int64](repeating: 1, count: 72), .i64, shape: [12, 6]),
                "labels": .init(tokens, .i64, shape: [12, 6]),
            ], to: "validation.safetensors")
        var settings = try Fixture.settings()
        settings.holdout = 0.25
        settings.steps = 4
        settings.evaluateEvery = 2
        plan = try Fixture.plan(settings, tasks: [], in: directory)
        plan.base = BaseSource(directory: base.path, files: [], digest: "base")
        plan.tasks = [
            TaskSource(
                name: "poems", directory: task.path, files: [], digest: "poems",
                settings: TaskSettings(objective: .languageModeling))
        ]
    }
}

/// Numbers that are the same on every machine (a linear congruence).
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 32) | (state << 32)
    }

    /// Uniform in -1...1.
    mutating func uniform() -> Float { Float.random(in: -1...1, using: &self) }
}
