import Foundation
import WorkerProtocol

/// A shell script that stands in for `supermerge worker`, in a folder of its own.
struct FakeWorkerProgram: ~Copyable {
    let folder: String
    var path: String { folder + "/worker.sh" }

    /// `body` runs after the plan was read into `plan.json` of the folder, which is the working directory.
    init(_ body: String) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "worker-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try "#!/bin/sh\ncd '\(folder)'\ncat > plan.json\n\(body)\n".write(
            toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// A shell command that prints an event.
    static func say(_ event: WorkerEvent) throws -> String {
        "echo '\(String(decoding: try JSON.encode(event), as: UTF8.self))'"
    }

    static var plan: MergePlan {
        MergePlan(
            merge: "abc", base: Samples.base().source, tasks: [Samples.task("a").source], settings: MergeSettings(),
            output: "/tmp", scratch: "/tmp")
    }
}
