import Foundation

/// A tiny vision transformer, and fine-tunes of it whose examples are images: `colours` with validation.csv, `shades`
/// with validation/metadata.jsonl. Made once by the programs alone.
struct ImageWorkshop: Sendable {
    private static let made = Result { try ImageWorkshop() }
    static func shared() throws -> ImageWorkshop { try made.get() }

    private static let configuration = #"""
        "model_type": "vit", "architectures": ["ViTForImageClassification"], "hidden_size": 32,
        "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "image_size": 16, "patch_size": 8,
        "num_channels": 3, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "qkv_bias": true
        """#
    private static let processor = #"""
        {"image_processor_type": "ViTImageProcessor", "do_resize": true, "size": {"height": 16, "width": 16},
         "resample": 2, "do_rescale": true, "rescale_factor": 0.00392156862745098, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
        """#

    let root: String
    var base: String { root + "/base" }

    /// Folder of a task: weights, `config.json` with the names of the classes, a table, and `validation/` with images.
    func task(_ name: String) -> String { "\(root)/tasks/\(name)" }

    private init() throws {
        root = "/tmp/sm-e2e-images-\(UUID().uuidString.prefix(8))"
        Self.removeAtExit(root)
        for folder in ["base", "tasks/colours/validation", "tasks/shades/validation", "seed", "train"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
        try Self.write("{\(Self.configuration)}", base + "/config.json")
        try Self.write(Self.processor, base + "/preprocessor_config.json")
        var random = Randomness(seed: 11)
        let values = (0..<4 * 3 * 16 * 16).map { _ in Float.random(in: -1...1, using: &random) }
        let seed = TensorFile(["pixel_values": .init(values, [4, 3, 16, 16]), "labels": .init([0, 1, 0, 1])])
        try seed.write(root + "/seed.safetensors")
        try run(
            "finetune", "--base", base, "--data", root + "/seed.safetensors", "--output", root + "/seed", "--steps",
            "2", "--batch", "4", "--threads", "1", "--without", "classifier.")
        try FileManager.default.moveItem(atPath: root + "/seed/model.safetensors", toPath: base + "/model.safetensors")
        try train("colours", ["red", "green", "blue"], isCSV: true, &random)
        try train("shades", ["dark", "light"], isCSV: false, &random)
    }

    private func train(_ name: String, _ classes: [String], isCSV: Bool, _ random: inout Randomness) throws {
        let folder = task(name)
        let labels = classes.enumerated().map { "\"\($0.offset)\": \"\($0.element)\"" }.joined(separator: ", ")
        try Self.write("{\(Self.configuration), \"id2label\": {\(labels)}}", folder + "/config.json")
        let table = isCSV ? "/validation.csv" : "/validation/metadata.jsonl"
        try Self.write(Self.images(classes, 96, isCSV: isCSV, in: folder, &random), folder + table)
        let data = "\(root)/train/\(name).safetensors"
        try run("encode", folder, "--base", base, "--output", data)
        let output = "\(root)/train/\(name)"
        try run(
            "finetune", "--base", base, "--data", data, "--output", output, "--steps", "80", "--batch", "32",
            "--learning-rate", "0.003", "--threads", "1")
        try FileManager.default.moveItem(atPath: output + "/model.safetensors", toPath: folder + "/model.safetensors")
        for file in try FileManager.default.contentsOfDirectory(atPath: folder + "/validation") {
            try FileManager.default.removeItem(atPath: "\(folder)/validation/\(file)")
        }
        try Self.write(Self.images(classes, 64, isCSV: isCSV, in: folder, &random), folder + table)
    }

    /// Writes noisy images into `validation/`; gives the table.
    private static func images(
        _ classes: [String], _ count: Int, isCSV: Bool, in folder: String, _ random: inout Randomness
    ) throws -> String {
        let rows = try (0..<count).map { index in
            let label = index % classes.count
            let (width, height) = (Int.random(in: 9...40, using: &random), Int.random(in: 9...40, using: &random))
            let image = PNGFile.bytes(width: width, height: height) { _, _ in
                func noise(_ middle: Int) -> UInt8 {
                    UInt8(clamping: middle + Int.random(in: -50...50, using: &random))
                }
                if classes.count == 2 {
                    let grey = noise(label == 0 ? 70 : 190)
                    return (grey, grey, grey)
                }
                return (noise(label == 0 ? 180 : 90), noise(label == 1 ? 180 : 90), noise(label == 2 ? 180 : 90))
            }
            try image.write(to: URL(filePath: "\(folder)/validation/\(index).png"))
            return isCSV
                ? "\(index).png,\(classes[label])"
                : "{\"file_name\": \"\(index).png\", \"label\": \"\(classes[label])\"}"
        }
        return ((isCSV ? ["file,label"] : []) + rows).joined(separator: "\n") + "\n"
    }

    private func run(_ arguments: String...) throws {
        let run = try Execution.run(Programs.merge, arguments)
        guard run.status == 0 else { throw ChildProcess.Failure(description: "\(arguments): \(run.errors)") }
    }

    private static func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    private nonisolated(unsafe) static var root = ""

    private static func removeAtExit(_ path: String) {
        root = path
        atexit { try? FileManager.default.removeItem(atPath: ImageWorkshop.root) }
    }
}
