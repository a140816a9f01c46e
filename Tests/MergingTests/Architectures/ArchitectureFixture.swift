import ExportedGraph
import ExportedModel
import Files
import Foundation
import Safetensors
import Torch
import WorkerProtocol

@testable import Merging

/// One of the tiny models of the neighbouring tests as a registry: a base without its head, and two tasks that are the whole model
/// with noise, each with the reference's examples.
struct ArchitectureFixture {
    static let families = ["bert", "roberta", "distilbert", "vit", "clip", "t5", "gpt2", "llama", "resnet"]
    static let tasks = ["one", "two"]

    let name: String
    let base: ModelFolder
    var plan: MergePlan

    init(_ name: String, in directory: String, settings: MergeSettings? = nil) throws {
        self.name = name
        let source = ModelFolder(at: ObjectiveFixture.model(name))
        base = try ModelFolder(newAt: directory + "/base")
        for file in ["graph.pt2", "config.json"] {
            try FileManager.default.copyItem(atPath: "\(source.path)/\(file)", toPath: "\(base.path)/\(file)")
        }
        let whole = try source.tensors()
        try base.write(whole.filter { !Self.isHead($0.key) })
        plan = try Fixture.plan(try settings ?? Self.settings(), tasks: [], in: directory)
        plan.base = BaseSource(directory: base.path, files: [], digest: "base")
        for (place, task) in Self.tasks.enumerated() {
            let folder = try ModelFolder(newAt: "\(directory)/\(task)")
            var random = SeededRandom(state: UInt64(place + 1))
            var tensors = whole
            for (name, content) in whole.sorted(by: { $0.key < $1.key }) where content.dtype == .f32 {
                let values = content.values(Float.self).map { $0 + 0.1 * random.uniform() }
                tensors[name] = .init(values, .f32, shape: content.shape)
            }
            try folder.write(tensors)
            try folder.write(Self.examples(source), to: "validation.safetensors")
            plan.tasks.append(
                TaskSource(
                    name: task, directory: folder.path, files: [], digest: task,
                    settings: TaskSettings(objective: objective)))
        }
    }

    static func isHead(_ name: String) -> Bool { name.hasPrefix("classifier") || name.hasPrefix("pre_classifier") }

    static func settings() throws -> MergeSettings {
        var settings = try Fixture.settings()
        settings.holdout = 0.2
        return settings
    }

    private var objective: TaskSettings.Objective {
        switch name {
        case "t5": .sequenceToSequence
        case "gpt2", "llama": .languageModeling
        case "roberta": .tokenClassification
        default: .classification
        }
    }

    /// The reference's inputs, with its labels in the shape of the predictions.
    private static func examples(_ source: ModelFolder) throws -> [String: ModelFolder.Content] {
        let prefix = "other.input."
        let reference = try source.tensors("reference.safetensors")
        var examples: [String: ModelFolder.Content] = [:]
        for (name, content) in reference where name.hasPrefix(prefix) {
            examples[String(name.dropFirst(prefix.count))] = content
        }
        var labels = reference["other.labels"]!
        labels.shape = reference["other.logits"]!.shape.dropLast()
        examples["labels"] = labels
        return examples
    }

    func run() throws -> MergeResult { try MergeRun(plan, report: { _ in }).run() }

    /// Logits of the release with a task's head on the task's examples, [examples, …].
    func logits(ofTask task: String) throws -> Tensor {
        let model = try ExportedModel(ExportedGraph(archive: base.path + "/graph.pt2"))
        let weights = try Checkpoint(directory: plan.output)
        var parameters = try weights.parameters(weights.names)
        if let head = try Judge.head(of: task, release: plan.output) { parameters.merge(head) { $1 } }
        let data = try SafetensorsFile(
            file: ReadableFile(path: "\(plan.tasks[0].directory)/../\(task)/validation.safetensors"))
        var inputs: [String: Tensor] = [:]
        for input in model.signature.inputs {
            inputs[input.name] = try data.entry(input.name).map { try data.tensor($0) }
        }
        return try TorchRuntime.withoutGradients { try model.forward(inputs: inputs, parameters: parameters) }
    }
}
