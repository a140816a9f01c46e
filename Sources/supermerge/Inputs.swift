import Files
import Registry
import Safetensors
import WorkerProtocol

/// Builds a plan's sources from folders given on the command line.
enum Inputs {
    static let graphFiles = ["graph.pt2", "config.json"]

    /// The base folder with the digests of its weights and graph.
    static func base(_ directory: String) throws -> BaseSource {
        let checkpoint = try Checkpoint(directory: directory)
        let present = try graphFiles.filter {
            try FileStatus.ifPresent(directory + "/" + $0, followingLinks: true) != nil
        }
        let files = try sources(directory, checkpoint.fileNames + present)
        return BaseSource(
            directory: directory, files: files, digest: Digest.manifest(files.map { ($0.name, $0.sha256) }))
    }

    /// A task folder with the digests of its weights, validation set and settings.
    static func task(_ directory: String) throws -> TaskSource {
        let checkpoint = try Checkpoint(directory: directory)
        let present = try ["validation.safetensors", "task.yaml"].filter {
            try FileStatus.ifPresent(directory + "/" + $0, followingLinks: true) != nil
        }
        let files = try sources(directory, checkpoint.fileNames + present)
        let name = directory.split(separator: "/").last.map(String.init) ?? directory
        let settings = try TaskSettingsFile.read(directory: directory)
        return TaskSource(
            name: name, directory: directory, files: files, digest: Digest.manifest(files.map { ($0.name, $0.sha256) }),
            settings: settings)
    }

    private static func sources(_ directory: String, _ names: [String]) throws -> [SourceFile] {
        try names.map { name in
            let file = try ReadableFile(path: directory + "/" + name)
            let identity = try file.identity()
            return SourceFile(name: name, bytes: file.size, sha256: try file.sha256(), stamp: identity.description)
        }
    }
}
