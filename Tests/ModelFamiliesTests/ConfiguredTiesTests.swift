import Files
import Foundation
import Safetensors
import Testing

@testable import ModelFamilies

/// Ties that only `config.json` tells.
struct ConfiguredTiesTests {
    private func groups(_ configuration: String, _ tensors: [String: [Int]]) throws -> [[String]] {
        let directory = NSTemporaryDirectory() + "/ties-" + UUID().uuidString
        try Durable.createDirectories(directory)
        defer { try? Durable.remove(directory) }
        let sorted = tensors.sorted { $0.key < $1.key }
        let writer = try SafetensorsWriter(
            path: directory + "/model.safetensors",
            slots: sorted.map { .init(name: $0.key, dtype: .f32, shape: $0.value) })
        for (_, shape) in sorted {
            let zeros = [Float](repeating: 0, count: shape.reduce(1, *))
            try zeros.withUnsafeBytes { try writer.append($0) }
        }
        _ = try writer.finish()
        return ConfiguredTies.groups(
            configuration: Array(configuration.utf8), weights: try Checkpoint(directory: directory))
    }

    private let embedding = "model.embed_tokens.weight"
    private let output = "lm_head.weight"

    @Test func whatTheConfigurationSaysHolds() throws {
        let both = [embedding: [5, 2], output: [5, 2], "model.norm.weight": [2]]
        let causal = #""architectures": ["OtherForCausalLM"]"#
        #expect(try groups("{\(causal), \"tie_word_embeddings\": true}", both) == [[embedding, output]])
        #expect(try groups("{\(causal), \"tie_word_embeddings\": false}", both) == [])
        #expect(try groups("{\"tie_word_embeddings\": true}", both) == [[embedding, output]])
    }

    @Test func aBaseThatIsSilentIsTiedWhereItHasNoOutputLayer() throws {
        let causal = #"{"architectures": ["OtherForCausalLM"]}"#
        #expect(try groups(causal, [embedding: [5, 2]]) == [[embedding, output]])
        #expect(try groups(causal, [embedding: [5, 2], output: [5, 2]]) == [])
    }

    @Test func aModelWithoutAnOutputLayerHasNothingToTie() throws {
        let classifier = #"{"architectures": ["OtherForSequenceClassification"], "tie_word_embeddings": true}"#
        #expect(try groups(classifier, [embedding: [5, 2]]) == [])
        #expect(try groups("{", [embedding: [5, 2]]) == [])
        #expect(try groups("{}", [embedding: [5, 2]]) == [])
    }

    @Test func everyEmbeddingOfTheSameShapeIsOne() throws {
        let names = ["decoder.embed_tokens.weight", "encoder.embed_tokens.weight", "shared.weight"]
        let tensors = Dictionary(uniqueKeysWithValues: names.map { ($0, [5, 2]) })
        let configuration = #"{"architectures": ["OtherForConditionalGeneration"]}"#
        #expect(try groups(configuration, tensors) == [names + [output]])
    }
}
