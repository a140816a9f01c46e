import ExportedGraph
import ExportedModel
import Files
import Foundation
import Safetensors
import Torch
import WorkerProtocol

@testable import Merging

/// One of the tiny models of the neighbouring tests as a registry: a base without its head, and two tasks that are the
/// whole model with noise, each with its own `config.json` and the reference's examples. BERT's base says that it is a
/// bare model, and its second task tells five classes apart where the first has three.
struct ArchitectureFixture {
    static let families = ["bert", "roberta", "distilbert", "vit", "clip", "t5", "gpt2", "llama", "resnet"]
    static let tasks = ["one", "two"]

    let name: String
    let base: ModelFolder
    var plan: MergePlan

    /// `isArchived`: whether the base has its graph.pt2, or only the config.json that a graph is built from.
    init(_ name: String, in directory: String, settings: MergeSettings? = nil, isArchived: Bool = true) throws {
        self.name = name
        let source = ModelFolder(at: ObjectiveFixture.model(name))
        base = try ModelFolder(newAt: directory + "/base")
        if isArchived {
            try FileManager.default.copyItem(atPath: source.path + "/graph.pt2", toPath: base.path + "/graph.pt2")
        }
        let configuration = try ModelConfigurationFile(source.path + "/config.json")
        try (name == "bert" ? configuration.bare("BertModel") : configuration).write(to: base.path)
        let whole = try source.tensors()
        try base.write(whole.filter { !Self.isHead($0.key) })
        plan = try Fixture.plan(try settings ?? Self.settings(), tasks: [], in: directory)
        plan.base = BaseSource(directory: base.path, files: [], digest: "base")
        for (place, task) in Self.tasks.enumerated() {
            let folder = try ModelFolder(newAt: "\(directory)/\(task)")
            var random = SeededRandom(state: UInt64(place + 1))
            let classes = name == "bert" && place == 1 ? 5 : nil
            let own = classes.map { Self.widened(whole, to: $0) } ?? whole
            var tensors = own
            for (name, content) in own.sorted(by: { $0.key < $1.key }) where content.dtype == .f32 {
                let values = content.values(Float.self).map { $0 + 0.1 * random.uniform() }
                tensors[name] = .init(values, .f32, shape: content.shape)
            }
            try folder.write(tensors)
            try folder.write(Self.examples(source), to: "validation.safetensors")
            try (classes.map(configuration.telling) ?? configuration).write(to: folder.path)
            let described = try Durable.contents(folder.path + "/config.json")
            let file = SourceFile(
                name: "config.json", bytes: Int64(described.count), sha256: Digest.sha256(described))
            plan.tasks.append(
                TaskSource(
                    name: task, directory: folder.path, files: [file], digest: task,
                    settings: TaskSettings(objective: objective)))
        }
    }

    static func isHead(_ name: String) -> Bool { name.hasPrefix("classifier") || name.hasPrefix("pre_classifier") }

    /// With as many rows of `classifier` as there are to be, those that it has over and over.
    private static func widened(
        _ tensors: [String: ModelFolder.Content], to classes: Int
    ) -> [String: ModelFolder.Content] {
        var wide = tensors
        for name in ["classifier.weight", "classifier.bias"] {
            guard let content = tensors[name] else { continue }
            let values = content.values(Float.self)
            let length = values.count * classes / content.shape[0]
            let repeated = (0..<length).map { values[$0 % values.count] }
            wide[name] = .init(repeated, .f32, shape: [classes] + content.shape.dropFirst())
        }
        return wide
    }

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
        if let head = try ModelEvaluator.head(of: task, release: plan.output) { parameters.merge(head) { $1 } }
        let data = try SafetensorsFile(
            file: ReadableFile(path: "\(plan.tasks[0].directory)/../\(task)/validation.safetensors"))
        var inputs: [String: Tensor] = [:]
        for input in model.signature.inputs {
            inputs[input.name] = try data.entry(input.name).map { try data.tensor($0) }
        }
        return try TorchRuntime.withoutGradients { try model.forward(inputs: inputs, parameters: parameters) }
    }
}
