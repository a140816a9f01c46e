import ExportedGraph
import ExportedModel
import Files
import Foundation
import ModelFamilies
import Safetensors
import Testing
import Torch

/// A graph that was built, against the one that torch.export wrote of the same model, with the same weights.
@Suite struct ExportParityTests {
    /// Weights of any kind in the shapes of the parameters, the same for both graphs.
    private func weights(_ signature: GraphSignature) throws -> [String: Tensor] {
        var state: UInt64 = 7
        func number() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int64(state >> 33) - 1 << 30) / Float(1 << 30)
        }
        var weights: [String: Tensor] = [:]
        for slot in signature.parameters {
            let shape = slot.shape.compactMap(\.self)
            let isNorm = shape.count == 1 && slot.name.hasSuffix("weight")
            let width = Float(shape.count > 1 ? shape.dropFirst().reduce(1, *) : 1)
            let values = (0..<shape.reduce(1, *)).map { _ in
                isNorm ? 1 + number() / 4 : number() / max(1, width.squareRoot() / 2)
            }
            weights[slot.name] = try Tensor(values, shape: shape)
        }
        return weights
    }

    /// `optional`: the inputs that the built graph takes beside those of the exported one.
    private func compare(
        _ built: ExportedGraph, _ exported: ExportedGraph, _ inputs: [String: Tensor], _ weights: [String: Tensor],
        labels: Tensor, optional: [String]
    ) throws {
        #expect(
            Set(built.signature.parameters.map { Set([$0.name] + $0.aliases) })
                == Set(exported.signature.parameters.map { Set([$0.name] + $0.aliases) }))
        #expect(built.signature.inputs.filter { $0.rule.zerosLike != nil }.map(\.name) == optional)
        let needed = built.signature.inputs.filter { $0.rule.zerosLike == nil }.map { slot in
            var slot = slot
            slot.rule = InputRule()
            return slot
        }
        #expect(needed == exported.signature.inputs)
        let expected = try Computed(ExportedModel(exported), inputs, weights, labels: labels)
        try Computed(ExportedModel(built), inputs, weights, labels: labels).expectEqual(to: expected)
    }

    @Test(arguments: ExportedFixture.names) func theFixturesGraphsAreTheSame(name: String) throws {
        let built = try BaseGraph.build(
            configuration: Array(Data(contentsOf: URL(filePath: ExportedFixture.path(name, "config.json")))),
            path: "config.json", weights: Checkpoint(directory: ExportedFixture.path(name), root: "/"))
        let exported = try ExportedGraph(archive: ExportedFixture.path(name, "graph.pt2"))
        let weights = try FamilyFixture.tensors(ExportedFixture.path(name, "model.safetensors"))
        let reference = try FamilyFixture.tensors(ExportedFixture.path(name, "reference.safetensors"))
        for lengths in ["same", "other"] {
            let inputs = Dictionary(
                uniqueKeysWithValues: exported.signature.inputs.map {
                    ($0.name, reference["\(lengths).input.\($0.name)"])
                }
            ).compactMapValues(\.self)
            try compare(
                built, exported, inputs, weights, labels: #require(reference["\(lengths).labels"]),
                optional: name == "bert" ? ["token_type_ids"] : [])
        }
    }

    /// The zoo has the archive beside its configuration, and no weights.
    private func built(_ configuration: String, _ weights: [String: Tensor]) throws -> ExportedGraph {
        let directory = NSTemporaryDirectory() + "/zoo-" + UUID().uuidString
        try Durable.createDirectories(directory)
        defer { try? Durable.remove(directory) }
        let sorted = weights.sorted { $0.key < $1.key }
        let writer = try SafetensorsWriter(
            path: directory + "/model.safetensors",
            slots: sorted.map { .init(name: $0.key, dtype: .f32, shape: $0.value.shape) })
        for (_, tensor) in sorted { try tensor.floats().withUnsafeBytes { try writer.append($0) } }
        _ = try writer.finish()
        return try BaseGraph.build(
            configuration: Durable.contents(configuration), path: configuration,
            weights: Checkpoint(directory: directory))
    }

    private static let zoo = URL(filePath: #filePath).appending(path: "../../../../shared/zoo").standardized.path
    private static let isThere = FileManager.default.fileExists(atPath: zoo + "/text/base/graph.pt2")

    @Test(.enabled(if: isThere, "../shared/zoo is not there")) func theZoosTextGraphIsTheSame() throws {
        let exported = try ExportedGraph(archive: Self.zoo + "/text/base/graph.pt2")
        let weights = try weights(exported.signature)
        let built = try built(Self.zoo + "/text/base/config.json", weights.filter { !$0.key.hasPrefix("classifier.") })
        let examples = try FamilyFixture.tensors(Self.zoo + "/text/tasks/sst2/validation.safetensors")
        let inputs = try exported.signature.inputs.reduce(into: [String: Tensor]()) { inputs, slot in
            let all = try #require(examples[slot.name])
            inputs[slot.name] = try Tensor.one(
                "aten::slice", "Tensor", [.tensor(all), .int(0), .int(0), .int(4), .int(1)])
        }
        let labels = try Tensor.one(
            "aten::slice", "Tensor", [.tensor(#require(examples["labels"])), .int(0), .int(0), .int(4), .int(1)]
        ).to(.int64)
        try compare(built, exported, inputs, weights, labels: labels, optional: ["token_type_ids"])
    }

    @Test(.enabled(if: isThere, "../shared/zoo is not there")) func theZoosVisionBaseIsNoPlainViT() throws {
        let directory = Self.zoo + "/vision/base"
        let path = directory + "/config.json"
        let error = #expect(throws: ModelFamilyError.self) {
            try BaseGraph.build(
                configuration: Array(Data(contentsOf: URL(filePath: path))), path: path,
                weights: Checkpoint(directory: directory, root: "/"))
        }
        #expect(error?.description.contains("vit.embeddings.patch_embeddings.projection.weight") == true)
    }
}
