import Files
import Foundation
import Safetensors
import Testing

/// A base or a task that is refused, by what is done to an accepted one.
struct RefusalCase: CustomTestStringConvertible, Sendable {
    let name: String
    let code: String
    /// Whether it is the base that is refused.
    var isOfBase = false
    let change: @Sendable (inout InputUpload) throws -> Void

    var testDescription: String { name }

    init(
        _ name: String, _ code: String, isOfBase: Bool = false,
        _ change: @escaping @Sendable (inout InputUpload) throws -> Void
    ) {
        (self.name, self.code, self.isOfBase, self.change) = (name, code, isOfBase, change)
    }

    static let all = weights + folders + values + examples + bases

    /// What docs/compatibility.md shows of them, beside what other suites look closer at.
    static let pageRows = all.filter { shown.contains($0.name) }
    private static let shown: Set = [
        "a Git LFS pointer for weights", "a web page for weights", "an empty tensor",
        "an index that names a tensor of no shard", "a checkpoint in a subfolder",
        "a variant", "a consolidated file", "a shard without its index", "an adapter of mlx-lm", "task.yml",
        "an unfinished download", "a sharded checkpoint in a subfolder", "a matrix of which a piece is zero",
        "matrices that were scaled", "nothing but zeros", "a tensor of zeros", "a constant tensor",
        "examples under another name", "a class that is not scored", "a single example",
        "a base that says that it is quantised", "a base of zeros",
    ]

    private static let pointer =
        "version https://git-lfs.github.com/spec/v1\noid sha256:\(String(repeating: "a", count: 64))\nsize 9084\n"
    private static let matrix = "vit.layers.0.attention.k_proj.weight"

    private static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    private static let weights: [RefusalCase] = [
        .init("weights cut off", "truncated") { upload in
            let path = upload.task.path + "/model.safetensors"
            let bytes = try Durable.contents(path)
            try Data(bytes.dropLast(100)).write(to: URL(filePath: path))
        },
        .init("weights of text", "malformed") {
            try write("no weights at all", to: $0.task.path + "/model.safetensors")
        },
        .init("a Git LFS pointer for weights", "not-what-it-claims") {
            try write(pointer, to: $0.task.path + "/model.safetensors")
        },
        .init("a web page for weights", "not-what-it-claims") {
            try write("<!DOCTYPE html><html>Not found</html>", to: $0.task.path + "/model.safetensors")
        },
        .init("a tensor is missing", "missing-parameter") { try $0.task.change { $0[matrix] = nil } },
        .init("a tensor too many", "extra-parameter") {
            try $0.task.change { $0["vit.more"] = .init([1 as Float], .f32) }
        },
        .init("another shape", "wrong-shape") {
            try $0.task.change { $0[matrix] = .init([Float](repeating: 1, count: 8), .f32, shape: [2, 4]) }
        },
        .init("an empty tensor", "wrong-shape") {
            try $0.task.change { $0[matrix] = .init([Float](), .f32, shape: [0]) }
        },
        .init("an index that names a tensor of no shard", "missing-parameter") { upload in
            try upload.shard()
            let path = URL(filePath: upload.task.path + "/model.safetensors.index.json")
            let text = try String(contentsOf: path, encoding: .utf8)
            let name = "\"vit.more\":\"model-00001-of-00002.safetensors\","
            try write(text.replacing("\"weight_map\":{", with: "\"weight_map\":{" + name), to: path.path)
        },
        .init("integers", "wrong-dtype") {
            try $0.task.change { $0[matrix] = .init([Int32](repeating: 1, count: 256), .i32, shape: [16, 16]) }
        },
        .init("quantised weights", "wrong-dtype") {
            try $0.task.change { $0[matrix + ".absmax"] = .init([1 as Float], .f32) }
        },
    ]

    private static let folders: [RefusalCase] = [
        .init("no weights", "missing-weights") { try Durable.remove($0.task.path + "/model.safetensors") },
        .init("a checkpoint in a subfolder", "nested-checkpoint") { upload in
            let inner = upload.task.path + "/checkpoint-500"
            try Durable.createDirectories(inner)
            try Durable.rename(upload.task.path + "/model.safetensors", to: inner + "/model.safetensors")
        },
        .init("a sharded checkpoint in a subfolder", "nested-checkpoint") { upload in
            try Durable.remove(upload.task.path + "/model.safetensors")
            let inner = upload.task.path + "/pytorch_model_fsdp_0"
            try Durable.createDirectories(inner)
            try write("x", to: inner + "/__0_0.distcp")
        },
        .init("a variant", "missing-weights") { try rename("model.fp16.safetensors", $0) },
        .init("a consolidated file", "missing-weights") { try rename("consolidated.safetensors", $0) },
        .init("a shard without its index", "missing-weights") { try rename("model-00001-of-00002.safetensors", $0) },
        .init("an adapter of mlx-lm", "missing-weights") { upload in
            try rename("adapters.safetensors", upload)
            try write("{\"fine_tune_type\": \"lora\"}", to: upload.task.path + "/adapter_config.json")
        },
        .init("half an adapter", "missing-weights") { upload in
            try Durable.remove(upload.task.path + "/model.safetensors")
            try write("{}", to: upload.task.path + "/adapter_config.json")
        },
        .init("a pickle", "pickle") { try write("x", to: $0.task.path + "/training_args.bin") },
        .init("code", "code") { try write("x", to: $0.task.path + "/modeling.py") },
        .init("an archive", "archive") { try write("x", to: $0.task.path + "/all.zip") },
        .init("task.yml", "task-settings") { try write("weight: 2\n", to: $0.task.path + "/task.yml") },
        .init("an unknown setting", "task-settings") { try $0.settings("no-such-key: 1") },
        .init("an unfinished download", "download-unfinished") {
            try write("x", to: $0.task.path + "/model.safetensors.aria2")
        },
    ]

    private static func rename(_ name: String, _ upload: InputUpload) throws {
        try Durable.rename(upload.task.path + "/model.safetensors", to: "\(upload.task.path)/\(name)")
    }

    private static let values: [RefusalCase] = [
        .init("NaN", "not-finite") { upload in
            try upload.task.change { tensors in
                var floats = tensors[matrix]!.values(Float.self)
                floats[7] = .nan
                tensors[matrix] = .init(floats, .f32, shape: [16, 16])
            }
        },
        .init("nothing but zeros", "zero-tensor") { try fill($0.task, 0) { !$0.hasPrefix("classifier") } },
        .init("a tensor of zeros", "zero-tensor") { try fill($0.task, 0) { $0 == matrix } },
        .init("a matrix of which a piece is zero", "zero-tensor") { upload in
            try upload.task.change { tensors in
                let values = tensors[matrix]!.values(Float.self)
                tensors[matrix] = .init(
                    values.prefix(150) + [Float](repeating: 0, count: values.count - 150), .f32, shape: [16, 16])
            }
        },
        .init("matrices that were scaled", "another-base") { upload in
            try upload.task.change { tensors in
                for (name, content) in tensors where name.hasPrefix("vit") {
                    tensors[name] = .init(content.values(Float.self).map { $0 * 50 }, .f32, shape: content.shape)
                }
            }
        },
        .init("a constant tensor", "zero-tensor") { try fill($0.task, 0.5) { $0 == matrix } },
        .init("another base", "another-base") { upload in
            try upload.task.change { tensors in
                for (name, content) in tensors where name.hasPrefix("vit") {
                    tensors[name] = .init(content.values(Float.self).map { -$0 }, .f32, shape: content.shape)
                }
            }
        },
    ]

    private static func fill(_ folder: ModelFolder, _ value: Float, where isMeant: (String) -> Bool) throws {
        try folder.change { tensors in
            for (name, content) in tensors where isMeant(name) {
                let count = content.shape.reduce(1, *)
                tensors[name] = .init([Float](repeating: value, count: count), .f32, shape: content.shape)
            }
        }
    }

    private static func examples(
        _ name: String, _ code: String, _ change: @escaping @Sendable (inout [String: ModelFolder.Content]) -> Void
    ) -> RefusalCase {
        .init(name, code) { try $0.task.change("validation.safetensors") { change(&$0) } }
    }

    private static func labels(_ values: [Int32]) -> @Sendable (inout [String: ModelFolder.Content]) -> Void {
        { $0["labels"] = .init(values, .i32) }
    }

    private static let examples: [RefusalCase] = [
        .init("no examples", "missing-validation") { try Durable.remove($0.task.path + "/validation.safetensors") },
        .init("examples under another name", "missing-validation") {
            try Durable.rename($0.task.path + "/validation.safetensors", to: $0.task.path + "/valid.safetensors")
        },
        .init("examples in two forms", "ambiguous-examples") {
            try write("{\"text\": \"a\", \"label\": 0}\n", to: $0.task.path + "/validation.jsonl")
        },
        .init("a Git LFS pointer for a table of examples", "not-what-it-claims") {
            try Durable.remove($0.task.path + "/validation.safetensors")
            try write(pointer, to: $0.task.path + "/validation.csv")
        },
        .init("a Git LFS pointer for examples", "not-what-it-claims") {
            try write(pointer, to: $0.task.path + "/validation.safetensors")
        },
        examples(
            "a label that the head does not know", "labels-outside-head", labels([3] + [Int32](repeating: 0, count: 11))
        ),
        examples(
            "a class that is not scored", "labels-outside-head", labels([-100] + [Int32](repeating: 0, count: 11))),
        examples("labels of floats", "wrong-labels") { $0["labels"] = .init([Float](repeating: 0, count: 12), .f32) },
        examples("two labels an example", "wrong-labels") {
            $0["labels"] = .init([Int32](repeating: 2, count: 24), .i32, shape: [12, 2])
        },
        examples("many classes at once", "wrong-labels") {
            $0["labels"] = .init([Int32](repeating: 1, count: 36), .i32, shape: [12, 3])
        },
        examples("fewer labels than examples", "example-count", labels([0, 1])),
        examples("a single example", "example-count") {
            $0["labels"] = .init([0 as Int32], .i32)
            $0["pixel_values"] = .init([Float](repeating: 0.5, count: 432), .f32, shape: [1, 3, 12, 12])
        },
        examples("an input that the graph does not take", "unknown-input") {
            $0["token_type_ids"] = .init([Int32](repeating: 1, count: 12), .i32)
        },
        examples("an input is missing", "missing-input") { $0["pixel_values"] = nil },
        examples("another size of images", "wrong-shape") {
            $0["pixel_values"] = .init([Float](repeating: 0.5, count: 36), .f32, shape: [12, 3, 1, 1])
        },
        examples("images of integers", "wrong-dtype") {
            $0["pixel_values"] = .init([Int32](repeating: 1, count: 5184), .i32, shape: [12, 3, 12, 12])
        },
        examples("NaN in the examples", "not-finite") { tensors in
            var floats = tensors["pixel_values"]!.values(Float.self)
            floats[9] = .nan
            tensors["pixel_values"] = .init(floats, .f32, shape: [12, 3, 12, 12])
        },
        .init("an objective that the graph can't serve", "wrong-objective") {
            try $0.settings("objective: sequence-to-sequence")
        },
    ]

    private static let bases: [RefusalCase] = [
        .init("a base with a NaN", "not-finite", isOfBase: true) { upload in
            try upload.base.change { tensors in
                var floats = tensors[matrix]!.values(Float.self)
                floats[7] = .infinity
                tensors[matrix] = .init(floats, .f32, shape: [16, 16])
            }
        },
        .init("a base of zeros", "zero-tensor", isOfBase: true) { try fill($0.base, 0) { _ in true } },
        .init("a base that says that it is quantised", "not-what-it-claims", isOfBase: true) {
            try write("{\"quantization_config\": {\"quant_method\": \"gptq\"}}", to: $0.base.path + "/config.json")
        },
        .init("a base that names code", "code", isOfBase: true) {
            try write("{\"auto_map\": {\"AutoModel\": \"x.Y\"}}", to: $0.base.path + "/config.json")
        },
        .init("a configuration that is no JSON", "malformed", isOfBase: true) {
            try write("{", to: $0.base.path + "/config.json")
        },
        .init("a Git LFS pointer for the base's weights", "not-what-it-claims", isOfBase: true) {
            try write(pointer, to: $0.base.path + "/model.safetensors")
        },
        .init("a graph that is no archive", "unsupported-graph", isOfBase: true) {
            try write("graph", to: $0.base.path + "/graph.pt2")
        },
        .init("a pickle in the base", "pickle", isOfBase: true) {
            try write("x", to: $0.base.path + "/pytorch_model.bin")
        },
    ]
}
