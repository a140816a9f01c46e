import Examples
import Files
import Foundation
import Safetensors
import Tasks
import WorkerProtocol

/// Tables of examples in commands: encoded in their own process, into a folder that is theirs.
enum EncodedFolder {
    /// An encoder whose tensors lie in `directory`.
    static func encoder(in directory: String) -> ExampleEncoder {
        ExampleEncoder(directory: directory, run: ExampleRun.reply)
    }

    /// Runs `body` with an encoder whose tensors are removed afterwards.
    static func temporary<Value>(_ body: (ExampleEncoder) throws -> Value) throws -> Value {
        let directory = NSTemporaryDirectory() + "/supermerge-\(UUID().uuidString)"
        defer { try? Durable.remove(directory) }
        return try body(encoder(in: directory))
    }

    /// Makes what a plan's tasks are judged by where it is missing.
    static func restore(_ plan: MergePlan) throws {
        for task in plan.tasks {
            do throws(AdmissionFault) {
                try encoder(in: "").restore(task, base: plan.base)
            } catch {
                throw error.failure(of: task.name)
            }
        }
    }

    /// A few examples of a task, be they tensors, texts or images; none where the base's tokenizer can't be read.
    static func preview(_ task: TaskSource, base: String) -> [ExamplePreview] {
        let names = ExampleRequest.tokenizerFiles(for: task.settings.objective)
        var contents: [String: [UInt8]] = [:]
        for name in names {
            let file = try? ReadableFile(path: "\(base)/\(name)", followingLinks: true)
            contents[name] = file.flatMap { try? $0.contents(limit: 128 << 20) }
        }
        var classes: [String] = []
        for directory in [task.directory, base] where classes.isEmpty {
            let path = "\(directory)/\(HeadConfiguration.fileName)"
            let bytes = try? ReadableFile(path: path, followingLinks: true).contents(limit: HeadConfiguration.longest)
            classes = bytes.flatMap { HeadConfiguration($0) }?.classNames ?? []
        }
        guard let file = try? SafetensorsFile(file: ReadableFile(path: task.examplesPath, followingLinks: true))
        else { return [] }
        if task.examples?.encoding.image != nil {
            return (try? ExamplePreview.images(of: file, classes: classes)) ?? []
        }
        guard let folder = try? ExampleFolder(contents),
            let preview = try? ExamplePreview.first(of: file, folder, classes: classes, task.settings.objective)
        else { return [] }
        return preview
    }
}
