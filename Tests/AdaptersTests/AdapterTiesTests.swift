import Files
import Foundation
import Safetensors
import Testing

@testable import Adapters

/// Adapters of a base whose embedding and output layer are one tensor.
struct AdapterTiesTests {
    private typealias Values = [(name: String, shape: [Int], values: [Float])]

    private static let embedding: [Float] = [1, 2, 3, 4, 5, 6, 7, 8]
    private static let changed: [Float] = [1, 2, 3, 4, 5, 6, 7, 9]
    private static let factors: Values = [("q.lora_A.weight", [1, 2], [1, 1]), ("q.lora_B.weight", [2, 1], [1, 1])]

    private func adapter(_ tensors: Values, isTied: Bool = false, names: [String] = ["embed.weight", "head.weight"])
        throws
        -> Adapter
    {
        let directory = NSTemporaryDirectory() + "/ties-" + UUID().uuidString
        defer { try? Durable.remove(directory) }
        for (folder, file, content) in [
            (
                "base", "model.safetensors",
                [("embed.weight", [4, 2], Self.embedding), ("q.weight", [2, 2], [1, 0, 0, 1])]
            ),
            ("task", Adapter.weightsName, Self.factors + tensors),
        ] as [(String, String, Values)] {
            try Durable.createDirectories(directory + "/" + folder)
            let slots = content.map { SafetensorsWriter.Slot(name: $0.name, dtype: .f32, shape: $0.shape) }
            let writer = try SafetensorsWriter(path: "\(directory)/\(folder)/\(file)", slots: slots)
            for (_, _, values) in content { try values.withUnsafeBytes { try writer.append($0) } }
            _ = try writer.finish()
        }
        let text = #"{"peft_type": "LORA", "r": 1, "lora_alpha": 1, "ensure_weight_tying": \#(isTied)}"#
        try Data(text.utf8).write(to: URL(filePath: directory + "/task/adapter_config.json"))
        return try Adapter(directory: directory + "/task", base: Checkpoint(directory: directory + "/base")) { name in
            names.contains(name) ? names : [name]
        }
    }

    private func fault(_ tensors: Values, isTied: Bool = false) -> String? {
        do {
            _ = try adapter(tensors, isTied: isTied)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func leavesOutCopiesOfTheBase() throws {
        for names in [["embed.weight"], ["head.weight"], ["embed.weight", "head.weight"]] {
            let adapter = try adapter(names.map { ($0, [4, 2], Self.embedding) })
            #expect(adapter.updates.keys.sorted() == ["q.weight"])
            #expect(adapter.checkpoint.names.isEmpty)
        }
    }

    @Test func takesEqualTensorsUnderBothNamesOnce() throws {
        let adapter = try adapter(["embed.weight", "head.weight"].map { ($0, [4, 2], Self.changed) })
        #expect(adapter.updates.keys.sorted() == ["embed.weight", "q.weight"])
        #expect(adapter.updates["embed.weight"]?.isReplaced == true)
    }

    @Test func takesOneNameWherePEFTKeepsThemTied() throws {
        let adapter = try adapter([("head.weight", [4, 2], Self.changed)], isTied: true)
        #expect(adapter.checkpoint.names == ["embed.weight"])
    }

    @Test func refusesToUntie() {
        let single: Values = [("head.weight", [4, 2], Self.changed)]
        #expect(fault(single)?.contains("head.weight is tied to embed.weight") == true)
        let both = single + [("embed.weight", [4, 2], Self.embedding)]
        #expect(fault(both)?.contains("ensure_weight_tying") == true)
        #expect(fault(both, isTied: true) != nil)
    }

    private static let ofEmbedding: Values = [
        ("embed.lora_embedding_A", [1, 4], [1, 2, 3, 4]), ("embed.lora_embedding_B", [2, 1], [5, 6]),
    ]

    @Test func takesTheSameProductOfBothOnce() throws {
        let ofHead: Values = [("head.lora_A.weight", [1, 2], [5, 6]), ("head.lora_B.weight", [4, 1], [1, 2, 3, 4])]
        let adapter = try adapter(Self.ofEmbedding + ofHead, isTied: true)
        #expect(adapter.updates.keys.sorted() == ["embed.weight", "q.weight"])
        #expect(try self.adapter(ofHead, isTied: true).updates["embed.weight"]?.structure != nil)
    }

    @Test func refusesOtherProductsOfBoth() {
        let ofHead: Values = [("head.lora_A.weight", [1, 2], [5, 6]), ("head.lora_B.weight", [4, 1], [1, 2, 3, 5])]
        #expect(fault(Self.ofEmbedding + ofHead, isTied: true)?.contains("would untie") == true)
        #expect(fault(Self.ofEmbedding) != nil)
    }
}
