import Files
import Foundation
import Safetensors
import WorkerProtocol

@testable import Releases

/// A base folder and a deploy directory of one test, removed with the last reference.
final class Deployment: Sendable {
    let path: String
    let store: ReleaseStore

    var base: String { path + "/base" }

    /// In `folder`, or else in memory where the system has that: thousands of fsyncs.
    init(in folder: String? = nil) throws {
        let memory = "/dev/shm/"
        let parent = FileManager.default.isWritableFile(atPath: memory) ? memory : NSTemporaryDirectory()
        path = (folder.map { $0 + "/" } ?? parent) + "releases-\(UUID().uuidString)"
        store = ReleaseStore(deploy: path + "/deploy")
        try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
        try write("base/config.json", #"{"_name_or_path":"acme/tiny","model_type":"bert"}"#)
        try write("base/tokenizer.json", "{}")
        try write("base/vocab.txt", "a\nb\n")
        try write("base/graph.pt2", "graph")
        try write("base/modeling_evil.py", "import os")
        try write("base/model.safetensors", "weights of the base are not passed on")
    }

    deinit {
        try? Durable.remove(path)
        for name in ["saved", "cut"] { try? Durable.remove("\(path).\(name)") }
    }

    /// Keeps everything as it stands for `restore`, under a name of two: `saved` or `cut`.
    func save(_ name: String = "saved") throws {
        try Durable.remove("\(path).\(name)")
        try copy(path, to: "\(path).\(name)")
    }

    func restore(_ name: String = "saved") throws {
        try Durable.remove(path)
        try copy("\(path).\(name)", to: path)
    }

    private func copy(_ from: String, to: String) throws {
        let process = try Process.run(URL(fileURLWithPath: "/bin/cp"), arguments: ["-a", from, to])
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    /// A staged candidate as a worker leaves it; its weights are `value`.
    func stage(_ merge: String = "m1", value: UInt8 = 1) throws -> (staging: String, record: ReleaseRecord) {
        let staging = try store.makeStaging(merge: merge)
        let (record, _) = try fill(staging, merge: merge, value: value)
        return (staging, record)
    }

    @discardableResult
    func fill(_ directory: String, merge: String, value: UInt8) throws -> (ReleaseRecord, [SourceFile]) {
        let slot = SafetensorsWriter.Slot(name: "w", dtype: .u8, shape: [16])
        let bytes = [UInt8](repeating: value, count: 16)
        let writer = try CheckpointWriter(directory: directory, slots: [slot])
        try bytes.withUnsafeBytes { try writer.append($0) }
        var outputs = try writer.finish().map { SourceFile(name: $0.name, bytes: $0.bytes, sha256: $0.sha256) }
        for name in ["heads/sst2.safetensors", "merge/coefficients.safetensors"] {
            try Durable.createDirectories("\(directory)/\(name.split(separator: "/")[0])")
            let writer = try SafetensorsWriter(path: "\(directory)/\(name)", slots: [slot])
            try bytes.withUnsafeBytes { try writer.append($0) }
            let written = try writer.finish()
            outputs.append(SourceFile(name: name, bytes: written.bytes, sha256: written.sha256))
        }
        var task = TaskResult(task: "sst2", fitted: 24)
        task.base = Score(examples: 8, loss: 0.7, metric: "accuracy", value: 0.5)
        task.merged = Score(examples: 8, loss: 0.1, metric: "accuracy", value: 0.875)
        var result = MergeResult(tasks: [task])
        result.outputs = outputs
        result.coefficients = ["w": [0.25]]
        let source = TaskSource(
            name: "sst2", directory: "/tasks/sst2", files: [], digest: "d", settings: TaskSettings())
        let record = ReleaseRecord(
            version: 0, created: "2026-01-0\(value)T00:00:00Z", merge: merge, settings: MergeSettings(),
            base: BaseSource(directory: base, files: [], digest: "b"), tasks: [source], result: result)
        return (record, outputs)
    }

    @discardableResult
    func publish(_ merge: String = "m1", value: UInt8 = 1, isCandidate: Bool = false) throws -> Release {
        let (staging, record) = try stage(merge, value: value)
        return try store.publish(
            staging: staging, baseDirectory: base, record: record, isCandidate: isCandidate)
    }
}

extension Release {
    /// The one value that all its weights have.
    func weight() throws -> UInt8? {
        var bytes = [UInt8](repeating: 0, count: 16)
        try bytes.withUnsafeMutableBytes { try Checkpoint(directory: directory).read("w", into: $0) }
        return Set(bytes).count == 1 ? bytes[0] : nil
    }
}
