import Adapters
import Files
import Foundation
import Merging
import Safetensors
import Tasks
import WorkerProtocol

/// Builds a plan's sources from folders given on the command line. Their files may be links to anywhere, as in the caches of
/// Hugging Face.
enum Inputs {
    static let graphFiles = ["graph.pt2", "config.json"]

    /// The base folder and the task folders with the digests of everything that is merged; files are read several at once.
    /// Without `hashingWeights` the weights' digests are left to the merge, which reads them anyway.
    static func open(
        base: String, tasks: [String], hashingWeights: Bool
    ) throws -> (base: BaseSource, tasks: [TaskSource]) {
        let ofTasks = try tasks.map { directory in
            try folder(
                directory, weights(directory), ["validation.safetensors", "task.yaml", HeadConfiguration.fileName])
        }
        let folders = try [folder(base, BaseWeights.open(directory: base).fileNames, graphFiles)] + ofTasks
        let paths = folders.flatMap { folder in folder.names.map { (folder.directory, $0) } }
        var files = try Concurrently.map(paths) {
            try source($0.0, $0.1, isHashed: hashingWeights || !isWeights($0.1))
        }[...]
        let sources = folders.map { folder in
            defer { files = files.dropFirst(folder.names.count) }
            return Array(files.prefix(folder.names.count))
        }
        let digests = sources.map { files in Digest.manifest(files.map { ($0.name, $0.sha256) }) }
        let opened = try zip(tasks, zip(sources, digests).dropFirst()).map { directory, source in
            let settings = try TaskSettingsFile.read(directory: directory)
            return TaskSource(
                name: taskName(directory), directory: directory, files: source.0, digest: source.1, settings: settings)
        }
        return (BaseSource(directory: base, files: sources[0], digest: digests[0]), opened)
    }

    typealias Previous = (source: DeployedSource, digest: String)

    /// A merge to start from, with the SHA-256 of its record, which holds those of its coefficients.
    static func previous(_ directory: String) throws -> Previous {
        let path = directory + "/release.json"
        guard let bytes = try? Durable.contents(path),
            let record = try? JSON.decode(ReleaseRecord.self, from: Data(bytes))
        else {
            throw MergeError(
                kind: .environment,
                message:
                    "\(path) is no record of a merge; name an output of supermerge merge, or a release, with --previous"
            )
        }
        return (DeployedSource(record, directory: directory), Digest.sha256(bytes))
    }

    /// The last part of a folder's path, `.` and `..` resolved.
    static func taskName(_ directory: String) -> String {
        URL(filePath: directory).standardizedFileURL.lastPathComponent
    }

    static func isTaskName(_ name: String) -> Bool { name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,127}/) != nil }

    /// Names of the files of a task's checkpoint or adapter.
    private static func weights(_ directory: String) throws -> [String] {
        if Adapter.isPresent(directory: directory) { return Adapter.fileNames }
        return try Checkpoint(directory: directory, root: "/").fileNames
    }

    /// The names of a folder's weights and of those of `others` that are there.
    private static func folder(
        _ directory: String, _ weights: [String], _ others: [String]
    ) throws -> (directory: String, names: [String]) {
        let present = try others.filter { name in
            try !weights.contains(name)
                && FileStatus.ifPresent("\(directory)/\(name)", followingLinks: true) != nil
        }
        return (directory, weights + present)
    }

    private static func isWeights(_ name: String) -> Bool {
        name.hasSuffix(".safetensors") && name != "validation.safetensors"
    }

    private static func source(_ directory: String, _ name: String, isHashed: Bool) throws -> SourceFile {
        let file = try ReadableFile(path: directory + "/" + name, followingLinks: true)
        let identity = try file.identity()
        let sha256 = isHashed ? try file.sha256() : ""
        return SourceFile(name: name, bytes: file.size, sha256: sha256, stamp: identity.description)
    }
}
