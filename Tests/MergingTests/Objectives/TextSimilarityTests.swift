import Engine
import ExportedModel
import Files
import Foundation
import ModelFamilies
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// Cosines of pairs of texts against sentence-transformers: the folder that `Tools/make_similarity_fixtures.py` writes.
@Suite(.serialized)
struct TextSimilarityTests {
    private struct Reference: Decodable {
        var loss: Double
        var pearson: Double
        var spearman: Double
        var cosines: [Double]
        /// Of the loss by `bias`.
        var gradient: [Double]
        /// What `1_Pooling/config.json` says.
        var configuration: String
    }

    private static let root = Fixture.root + "/similarity"
    private static let bias = "encoder.layer.1.output.dense.bias"
    private static let modes = [
        "cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", "mean+max",
    ]

    private static func reference(_ mode: String) throws -> Reference {
        let all = try JSONDecoder().decode(
            [String: Reference].self, from: Data(contentsOf: URL(filePath: root + "/reference.json")))
        return try #require(all[mode])
    }

    /// The base's graph, pooled as `pooling` says.
    private static func model(_ pooling: String) throws -> ExportedModel {
        let modules = SentenceModules { name in
            name == "1_Pooling/config.json"
                ? Array(pooling.utf8) : try? Durable.contents("\(root)/base/\(name)", limit: 1 << 20)
        }
        return try ExportedModel(
            BaseGraph.build(
                configuration: Durable.contents(root + "/base/config.json", limit: 1 << 20), path: "config.json",
                weights: Checkpoint(directory: root + "/base"), modules: modules))
    }

    private static func set(_ task: String) throws -> ValidationSet {
        try ValidationSet(
            SafetensorsFile(file: ReadableFile(path: "\(root)/\(task)/validation.safetensors")), task: task,
            inputNames: ["input_ids", "attention_mask"], objective: .similarity, holdout: 0, seed: 0)
    }

    private static func isClose(_ values: [Double], _ expected: [Double], _ tolerance: Double) -> Bool {
        values.count == expected.count && zip(values, expected).allSatisfy { abs($0 - $1) <= tolerance }
    }

    @Test(arguments: modes, [false, true])
    func scoresAreThoseOfSentenceTransformers(mode: String, leavesPadding: Bool) throws {
        let reference = try Self.reference(mode)
        let model = try Self.model(reference.configuration)
        let weights = try Checkpoint(directory: Self.root + "/first")
        let parameters = ModelWeights(own: try weights.parameters(weights.names))
        let set = try Self.set("first")
        for (metric, expected) in [(Metric.spearman, reference.spearman), (.pearson, reference.pearson)] {
            let settings = TaskSettings(objective: .similarity, metric: metric)
            let objective = Objective(settings, inputs: model.signature.inputs.map(\.name))
            let scorer = Scorer(model: model, autocast: false)
            if leavesPadding { try scorer.leaveOutPadding(parameters, set, objective) }
            let outcome = try scorer.score(parameters, set, set.all, objective)
            #expect(abs(outcome.score.loss - reference.loss) < 2e-6)
            #expect(outcome.score.metric == metric.rawValue && outcome.score.examples == 24)
            #expect(abs(outcome.score.value - expected) < 2e-5, "\(metric): \(outcome.score.value), not \(expected)")
            #expect(Self.isClose(outcome.predictions.outputs, reference.cosines, 2e-6))
        }
    }

    @Test(arguments: modes) func theLossHasPyTorchsGradient(mode: String) throws {
        let reference = try Self.reference(mode)
        let model = SegmentedModel(try Self.model(reference.configuration))
        let weights = try Checkpoint(directory: Self.root + "/first")
        let objective = Objective(kind: .similarity, inputs: model.model.signature.inputs.map(\.name))
        let set = try Self.set("first")
        let (inputs, labels) = try set.batch(set.all)
        let receiver = BiasGradient(objective, inputs, try #require(labels))
        let pass = ForwardPass(
            inputs: try objective.rows(of: inputs, for: model.model.signature), own: [:], output: .embeddings)
        let trunk = LoadedParameters(try weights.parameters(weights.names))
        try model.backward(
            [pass], trunk, watching: [Self.bias: WatchedParameter(layer: 0, forms: [])], autocast: false, receiver)
        #expect(Self.isClose(receiver.gradient, reference.gradient, 2e-6), "\(receiver.gradient)")
    }

    private static func plan(
        in directory: String, _ change: (inout MergeSettings) -> Void
    ) throws -> MergePlan {
        var settings = try Fixture.settings()
        settings.holdout = 0.25
        settings.steps = 8
        settings.evaluateEvery = 2
        settings.strategy = .joint
        change(&settings)
        try Durable.createDirectories(directory + "/output")
        try Durable.createDirectories(directory + "/scratch")
        let tasks = ["first", "second"].map { name in
            TaskSource(
                name: name, directory: "\(root)/\(name)", files: [], digest: name,
                settings: TaskSettings(objective: .similarity))
        }
        return MergePlan(
            merge: "test", base: BaseSource(directory: root + "/base", files: [], digest: "base"), tasks: tasks,
            settings: settings, output: directory + "/output", scratch: directory + "/scratch")
    }

    @Test(arguments: [MergeSettings.Loss.labels, .distillation], [MergeSettings.Start.taskVectors, .calibrated])
    func modelsWithoutAHeadAreMerged(loss: MergeSettings.Loss, start: MergeSettings.Start) throws {
        try Fixture.temporarily { directory in
            let plan = try Self.plan(in: directory) { settings in
                settings.loss = loss
                settings.start = start
            }
            let result = try MergeRun(plan, report: { _ in }).run()
            for task in result.tasks {
                let merged = try #require(task.merged)
                #expect(merged.metric == "spearman" && merged.examples == 6)
                #expect(merged.loss.isFinite && task.base != nil && task.own != nil)
            }
            let curve = result.curve.compactMap(\.heldOut)
            #expect(curve.count > 1 && curve.min()! <= curve.first!)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory + "/output/heads").isEmpty)
        }
    }

    @Test func aStreamedFitIsTheSame() throws {
        try Fixture.temporarily { directory in
            var coefficients: [[String: [Double]]] = []
            for memory: Int64 in [8 << 30, 1] {
                let folder = "\(directory)/\(memory)"
                try Durable.createDirectories(folder)
                let plan = try Self.plan(in: folder) { $0.memory = memory }
                let result = try MemoryEstimate.$isEnforced.withValue(false) {
                    try MergeRun(plan, report: { _ in }).run()
                }
                #expect(result.notes.contains { $0.contains("streamed in") } == (memory == 1), "\(result.notes)")
                coefficients.append(result.coefficients)
            }
            #expect(coefficients[0] == coefficients[1])
        }
    }

    @Test func correlationsOfRanksShareTies() {
        #expect(Scorer.spearman([1, 2, 2, 3], [10, 20, 20, 30]) == 1)
        // scipy.stats.spearmanr([1, 2, 2, 4, 0], [3, 1, 2, 5, 4])
        #expect(abs(Scorer.spearman([1, 2, 2, 4, 0], [3, 1, 2, 5, 4]) - 0.05129891760425771) < 1e-12)
        #expect(Scorer.spearman([1, 1, 1], [1, 2, 3]) == 0)
    }
}

/// Parameters that are all at hand.
private final class LoadedParameters: ParameterSource {
    private let tensors: [String: Tensor]

    init(_ tensors: [String: Tensor]) { self.tensors = tensors }

    func lease(_ inputs: [ExportedModel.Input]) throws -> [String: Tensor] {
        Dictionary(inputs.compactMap { input in tensors[input.slot.name].map { (input.slot.name, $0) } }) { first, _ in
            first
        }
    }
}

/// The gradient of one loss by one parameter.
private final class BiasGradient: GradientReceiver {
    private let objective: Objective
    private let inputs: [String: Tensor]
    private let labels: Tensor
    private(set) var gradient: [Double] = []

    init(_ objective: Objective, _ inputs: [String: Tensor], _ labels: Tensor) {
        (self.objective, self.inputs, self.labels) = (objective, inputs, labels)
    }

    func loss(ofPass pass: Int, _ output: Tensor) throws -> Tensor {
        try objective.loss(objective.logits(from: output, inputs), labels)
    }

    func receive(_ part: GradientTape.Part, of layer: Int, pass: Int) throws {
        if case .whole(let found) = part { gradient = try found.doubles() }
    }

    func complete(_ layers: [Int]) throws {}

    func perform(_ pass: Int, _ body: () throws -> Void) throws { try body() }
}
