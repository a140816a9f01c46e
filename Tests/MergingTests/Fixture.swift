import Files
import Foundation
import WorkerProtocol

@testable import Merging

/// The folder that `Tools/make_merging_fixtures.py` writes, and plans over it.
enum Fixture {
    struct Reference: Decodable {
        struct Form: Decodable {
            var losses: [Double]
            /// Layer → task → one number, or one for each row; tanh w after the first and the last step.
            var first: [String: [[Double]]]
            var last: [String: [[Double]]]
            /// Layer → task → the gains of its columns after the last step.
            var gains: [String: [[Double]]]?
            /// ∂loss / ∂w of the first step, where coefficients start low.
            var gradient: [String: [[Double]]]?
        }
        var learningRate: Double
        var scale: Double
        var forms: [String: Form]
    }

    static let root = Bundle.module.bundlePath + "/Fixtures"

    static func reference() throws -> Reference {
        try JSON.decode(Reference.self, from: Data(contentsOf: URL(fileURLWithPath: root + "/reference.json")))
    }

    /// All examples in every step, as the reference has it, unless the settings say otherwise.
    static func settings() throws -> MergeSettings {
        let reference = try reference()
        var settings = MergeSettings()
        settings.learningRate = reference.learningRate
        settings.scale = reference.scale
        settings.granularity = .tensor
        settings.loss = .labels
        settings.mixup = 0
        settings.start = .taskVectors
        settings.schedule = .constant
        settings.patience = 5
        settings.holdout = 0
        settings.batch = 64
        settings.steps = 10
        settings.evaluateEvery = 5
        settings.threads = 1
        return settings
    }

    /// The release that lies in a folder, as a daemon hands it to a worker.
    static func deployed(_ directory: String) throws -> DeployedSource {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: directory + "/release.json"))
        return DeployedSource(try JSON.decode(ReleaseRecord.self, from: bytes), directory: directory)
    }

    static func plan(_ settings: MergeSettings, tasks: [String] = ["letters", "shapes"], in directory: String) throws
        -> MergePlan
    {
        try Durable.createDirectories(directory + "/output")
        try Durable.createDirectories(directory + "/scratch")
        let weights = ["letters": 1.0, "shapes": 2.0]
        let sources = tasks.map { name in
            TaskSource(
                name: name, directory: "\(root)/\(name)", files: [], digest: name,
                settings: TaskSettings(weight: weights[name] ?? 1))
        }
        return MergePlan(
            merge: "test", base: BaseSource(directory: root + "/base", files: [], digest: "base"), tasks: sources,
            settings: settings, output: directory + "/output", scratch: directory + "/scratch")
    }

    /// A fresh directory that is removed afterwards.
    static func temporarily<R>(_ body: (String) throws -> R) throws -> R {
        let directory = NSTemporaryDirectory() + "/merging-" + UUID().uuidString
        try Durable.createDirectories(directory)
        defer { try? Durable.remove(directory) }
        return try body(directory)
    }
}
