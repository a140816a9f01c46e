import ExportedGraph
import ExportedModel
import Foundation
import Torch

/// One of the folders that `Tools/make_fixtures.py` writes.
struct Fixture {
    static let names = [
        "bert", "roberta", "distilbert", "vit", "clip", "t5", "gpt2", "llama", "resnet", "assorted", "stem",
    ]

    let graph: ExportedGraph
    let weights: [String: Tensor]
    private let reference: [String: Tensor]

    init(_ name: String) throws {
        graph = try ExportedGraph(archive: Self.path(name, "graph.pt2"))
        weights = try Self.tensors(Self.path(name, "model.safetensors"))
        reference = try Self.tensors(Self.path(name, "reference.safetensors"))
    }

    static func path(_ name: String, _ file: String) -> String {
        Bundle.module.bundlePath + "/Fixtures/\(name)/\(file)"
    }

    func inputs(_ testCase: String) -> [String: Tensor] { all("\(testCase).input.") }

    func gradients(_ testCase: String) -> [String: Tensor] { all("\(testCase).gradient.") }

    func tensor(_ testCase: String, _ name: String) throws -> Tensor {
        guard let tensor = reference["\(testCase).\(name)"] else { throw Missing(name: name) }
        return tensor
    }

    struct Missing: Error {
        var name: String
    }

    private func all(_ prefix: String) -> [String: Tensor] {
        Dictionary(
            uniqueKeysWithValues: reference.filter { $0.key.hasPrefix(prefix) }
                .map { (String($0.key.dropFirst(prefix.count)), $0.value) })
    }

    /// Every tensor of a safetensors file that this repository's own script wrote.
    static func tensors(_ path: String) throws -> [String: Tensor] {
        struct Entry: Decodable {
            var dtype: String
            var shape: [Int]
            var offsets: [Int]

            enum CodingKeys: String, CodingKey {
                case dtype, shape
                case offsets = "data_offsets"
            }
        }
        let types: [String: DType] = [
            "F32": .float32, "I64": .int64, "F16": .float16, "I32": .int32, "U8": .uint8, "I16": .int16,
        ]
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        var header = try JSONSerialization.jsonObject(with: data.dropFirst(8).prefix(length)) as? [String: Any] ?? [:]
        header["__metadata__"] = nil
        let entries = try JSONDecoder().decode(
            [String: Entry].self, from: JSONSerialization.data(withJSONObject: header))
        return try entries.mapValues { entry in
            guard let type = types[entry.dtype] else { throw Missing(name: entry.dtype) }
            let tensor = try Tensor(empty: entry.shape, type)
            let content = data.dropFirst(8 + length)[relative: entry.offsets[0]..<entry.offsets[1]]
            try tensor.withUnsafeMutableBytes { $0.copyBytes(from: content) }
            return tensor
        }
    }
}

extension Data {
    fileprivate subscript(relative range: Range<Int>) -> Data {
        self[startIndex + range.lowerBound..<startIndex + range.upperBound]
    }
}
