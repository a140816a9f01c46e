import Files
import Foundation

/// A base and checkpoints that no training made: the tiny model with a little noise. For methods that learn nothing
/// they do, and cost no time.
enum NoisyTask {
    private static let model = Result { try TensorFile(path: Programs.tinyModel + "/model.safetensors") }

    /// Writes the base without its classifier, which is each task's own.
    static func writeBase(_ folder: String) throws {
        try Durable.createDirectories(folder)
        try FileManager.default.copyItem(atPath: Programs.tinyModel + "/graph.pt2", toPath: folder + "/graph.pt2")
        var base = try model.get()
        base.tensors = base.tensors.filter { !$0.key.hasPrefix("classifier.") }
        try base.write(folder + "/model.safetensors")
        try Data(#"{"model_type": "vit", "image_size": 12}"#.utf8).write(to: URL(filePath: folder + "/config.json"))
    }

    /// The bytes of a checkpoint; each seed has its own.
    static func bytes(seed: UInt64) throws -> [UInt8] {
        var random = Randomness(seed: seed)
        var task = try model.get()
        let scale = Float.random(in: 0.001..<0.01, using: &random)
        for name in task.tensors.keys.sorted() {
            guard var values = task.tensors[name]?.floats else { continue }
            for place in values.indices { values[place] *= 1 + scale }
            values[0] += scale * random.normal()
            task.tensors[name]?.floats = values
        }
        let folder = try TemporaryFolder()
        try task.write(folder.path + "/model.safetensors")
        return try Durable.contents(folder.path + "/model.safetensors")
    }
}
