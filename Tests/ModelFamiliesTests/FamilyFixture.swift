import Files
import Foundation
import ModelFamilies
import Safetensors
import Torch

/// One of the folders that `Tools/make_family_fixtures.py` writes.
struct FamilyFixture {
    static let names = [
        "bert", "bert-pairs", "bert-tower", "bert-mean", "bert-masked", "bert-tokens", "roberta", "roberta-tower",
        "roberta-tokens", "distilbert", "distilbert-tokens", "vit", "vit-wide", "vit-tower", "clip", "clip-whole",
        "clip-vision", "clip-captions", "siglip-pairs", "t5", "t5-untied", "llama", "llama-untied", "llama-left",
        "llama-banded",
        "llama-linear",
        "llama-classes", "gpt2", "gpt2-scaled", "gpt2-classes", "gemma", "gemma2", "gemma3", "olmo3", "phi3",
        "gpt-neox", "cohere", "bloom", "opt-narrow", "gpt-oss", "apertus", "deberta", "modernbert", "mpnet", "albert",
        "bart-classes",
        "m2m100", "umt5", "dinov2", "convnext", "swin", "swinv2",
        "beit", "resnet", "segformer",
    ]

    let directory: String
    /// The base's weights, and what a task brings.
    let parameters: [String: Tensor]
    private let reference: [String: Tensor]

    init(_ name: String) throws {
        directory = Self.path(name)
        reference = try Self.tensors(directory + "/reference.safetensors")
        let base = try Self.tensors(directory + "/model.safetensors")
        let floats = base.filter { $0.value.dtype != .int64 }
        parameters = floats.merging(Self.all("head.", reference)) { $1 }
    }

    /// The head that its tasks have, where the base leaves it to them.
    static func head(_ name: String) -> FamilyHead? {
        ["clip-captions": FamilyHead.captions, "siglip-pairs": .pairs][name]
    }

    static func path(_ name: String) -> String { Bundle.module.bundlePath + "/Fixtures/\(name)" }

    func inputs(_ testCase: String) -> [String: Tensor] { Self.all("\(testCase).input.", reference) }

    func gradients(_ testCase: String) -> [String: Tensor] { Self.all("\(testCase).gradient.", reference) }

    func tensor(_ testCase: String, _ name: String) throws -> Tensor {
        guard let tensor = reference["\(testCase).\(name)"] else { throw Missing(name: name) }
        return tensor
    }

    struct Missing: Error {
        var name: String
    }

    private static func all(_ prefix: String, _ tensors: [String: Tensor]) -> [String: Tensor] {
        let found = tensors.filter { $0.key.hasPrefix(prefix) }
        return Dictionary(uniqueKeysWithValues: found.map { (String($0.key.dropFirst(prefix.count)), $0.value) })
    }

    static func tensors(_ path: String) throws -> [String: Tensor] {
        let types: [SafetensorsDType: DType] = [
            .f32: .float32, .i64: .int64, .i32: .int32, .u8: .uint8, .f16: .float16,
        ]
        let file = try SafetensorsFile(file: ReadableFile(path: path, followingLinks: true))
        return try Dictionary(
            uniqueKeysWithValues: file.entries.map { entry in
                guard let type = types[entry.dtype] else { throw Missing(name: entry.name) }
                let tensor = try Tensor(empty: entry.shape, type)
                try tensor.withUnsafeMutableBytes { try file.read(entry, at: 0, into: $0) }
                return (entry.name, tensor)
            })
    }
}
