import Engine
import ExportedGraph
import ExportedModel
import Files
import Foundation
import Safetensors
import Torch
import WorkerProtocol

@testable import Merging

/// What `Tools/make_objective_fixtures.py` writes: validation sets for the tiny T5 and Llama, and what PyTorch makes of
/// them.
struct ObjectiveFixture {
    struct Reference: Decodable {
        struct Classes: Decodable {
            var labels: [Int64]
            var guesses: [Int64]
            var accuracy: Double
            var f1: Double
            var macroF1: Double
            var matthews: Double

            enum CodingKeys: String, CodingKey {
                case labels, guesses, accuracy, f1, matthews
                case macroF1 = "f1-macro"
            }
        }
        struct Pearson: Decodable {
            var x: [Double]
            var y: [Double]
            var value: Double
        }
        struct Metrics: Decodable {
            var classes: [Classes]
            var pearson: Pearson
        }
        struct Distillation: Decodable {
            var student: [Float]
            var teacher: [Float?]
            var loss: Double
            var gradient: [Float]
        }
        struct Choices: Decodable {
            struct Ranked: Decodable {
                var loss: Double
                var rankAccuracy: Double
                /// Null for a choice that is not there.
                var scores: [[Double?]]

                enum CodingKeys: String, CodingKey {
                    case loss, scores
                    case rankAccuracy = "rank-accuracy"
                }
            }
            var sum: Ranked
            var mean: Ranked
        }
        var metrics: Metrics
        var distillation: Distillation
        var sequenceToSequence: [String: Double]
        var languageModeling: [String: Double]
        var decoderChoices: Choices
        var causalChoices: Choices

        enum CodingKeys: String, CodingKey {
            case metrics, distillation
            case sequenceToSequence = "sequence-to-sequence"
            case languageModeling = "language-modeling"
            case decoderChoices = "decoder-choices"
            case causalChoices = "causal-choices"
        }
    }

    static let root = Bundle.module.bundlePath + "/Fixtures/objectives"

    static func reference() throws -> Reference {
        try JSONDecoder().decode(Reference.self, from: Data(contentsOf: URL(filePath: root + "/reference.json")))
    }

    /// The folder of a tiny model of the neighbouring tests.
    static func model(_ name: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "ExportedModelTests/Fixtures/\(name)").path
    }

    let model: ExportedModel
    let parameters: [String: Tensor]
    let set: ValidationSet
    var objective: Objective

    /// The model `name` and the examples `data`; a decoder starts from 0.
    init(_ name: String, _ data: String, _ settings: TaskSettings) throws {
        model = try ExportedModel(ExportedGraph(archive: Self.model(name) + "/graph.pt2"))
        let weights = try Checkpoint(directory: Self.model(name))
        parameters = try weights.parameters(weights.names)
        let inputs = model.signature.inputs.map(\.name)
        set = try ValidationSet(
            SafetensorsFile(file: ReadableFile(path: "\(Self.root)/\(data).safetensors")), task: data,
            inputNames: inputs,
            objective: settings.objective, decoderStart: DecoderStart(start: 0, padding: 0), holdout: 0, seed: 0)
        objective = Objective(settings, inputs: inputs)
    }

    func score() throws -> Scorer.Outcome {
        try Scorer(model: model, autocast: false).score(ModelWeights(own: parameters), set, set.all, objective)
    }

    /// What the objective makes of all examples.
    func logits() throws -> [Float] {
        try Scorer(model: model, autocast: false).logits(ModelWeights(own: parameters), set, objective).floats()
    }
}
