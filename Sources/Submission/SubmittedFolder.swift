package import Tasks
import Files
import WorkerProtocol

/// What of a folder is put into a registry as a task: the files that a registry takes, without those that it refuses
/// and nothing needs.
package struct SubmittedFolder: Sendable {
    /// Something that stays behind.
    package struct Omission: Codable, Hashable, Sendable {
        package var name: String
        package var reason: String
    }

    /// Relative name in the task's folder → path of the file, without links.
    package private(set) var files: [String: String] = [:]
    /// In the order of their names.
    package private(set) var leftOut: [Omission] = []

    /// Lists a folder, and takes `examples` in place of its own: paths of .safetensors, .jsonl or .csv files, or of a
    /// folder of images. A table alone still names the images of the folder.
    ///
    /// Throws `AdmissionFault`: `unreadable` where a path leads nowhere, `refused` where a download has not ended,
    /// where the checkpoint is in a subfolder, or where an entry is no file.
    package init(_ directory: String, examples: [String] = []) throws(AdmissionFault) {
        let place = try UploadLocation(named: directory)
        let names = try Self.list(place.path)
        if let name = UnfinishedDownload.find(in: place.path, names) { throw UnfinishedDownload.fault(name) }
        let given = try Self.given(examples)
        let visible = names.filter { !UploadRules.isIgnored($0) }
        let replacesImages = given.keys.contains { $0.contains("/") || $0 == TaskLayout.examples }
        for name in visible {
            let isReplaced = ExampleFiles.all.contains(name) || replacesImages && ExampleFiles.isImageFolder(name)
            if !given.isEmpty, isReplaced {
                leave(name, "--examples takes its place")
            } else if let reason = UploadRules.reasonToLeaveOut(name, among: Set(visible)) {
                leave(name, reason)
            } else {
                try take(name, in: place.path)
            }
        }
        if !TaskLayout.holdsWeights(files.keys), let fault = MissingWeights.nestedFault(place.path) {
            throw fault
        }
        if !given.isEmpty {
            for table in ExampleFiles.imageTables where files.removeValue(forKey: table) != nil {
                leave(table, "--examples takes its place")
            }
        }
        files.merge(given) { $1 }
    }

    /// Bytes of all files.
    package var bytes: Int64 {
        files.values.reduce(0) { $0 + ((try? FileStatus(path: $1).identity.size) ?? 0) }
    }

    private mutating func take(_ name: String, in folder: String) throws(AdmissionFault) {
        let path = "\(folder)/\(name)"
        guard let target = UploadLocation.realPath(path) else {
            throw .refused(
                code: "dangling-link", message: "`\(name)` is a link to nothing; put the file itself there")
        }
        switch try Self.kind(target) {
        case .regular: files[name] = target
        case .directory where Self.isTaken(name):
            for child in try Self.list(target) where !UploadRules.isIgnored(child) {
                try take("\(name)/\(child)", in: folder)
            }
        case .directory: leave(name + "/", "a folder, which a registry does not read")
        case .link, .special:
            throw .refused(
                code: "not-regular", message: "`\(name)` is a FIFO, socket or device; remove it")
        }
    }

    /// Whether a registry reads the files of a subfolder.
    private static func isTaken(_ name: String) -> Bool {
        let parts = name.pathNames
        return parts.count == 1 && BaseFiles.isFolder(name)
            || parts.count <= 2 && ExampleFiles.isImageFolder(parts[0])
    }

    private mutating func leave(_ name: String, _ reason: String) {
        leftOut.append(Omission(name: name, reason: reason))
    }

    private static func given(_ examples: [String]) throws(AdmissionFault) -> [String: String] {
        var given: [String: String] = [:]
        for path in examples {
            if let folder = UploadLocation.realPath(path), try kind(folder) == .directory {
                try images(in: folder, as: ExampleFiles.imageFolders[0], levels: 2, &given)
                continue
            }
            guard let ending = path.pathNames.last?.split(separator: ".").dropFirst().last,
                ["safetensors", "jsonl", "csv"].contains(ending)
            else {
                throw .unreadable(
                    "\(path) can't hold examples: expected a name that ends in .safetensors, .jsonl or .csv, or a "
                        + "folder of images")
            }
            guard let target = UploadLocation.realPath(path), try kind(target) == .regular else {
                throw .unreadable("\(path): there is no such file; check the path")
            }
            guard given.updateValue(target, forKey: "validation.\(ending)") == nil else {
                throw .unreadable("\(path): two files of examples end in .\(ending); join them into one")
            }
        }
        return given
    }

    /// What a folder of images holds, and the folders in it.
    private static func images(
        in folder: String, as name: String, levels: Int, _ given: inout [String: String]
    ) throws(AdmissionFault) {
        for child in try list(folder) where !UploadRules.isIgnored(child) {
            guard let target = UploadLocation.realPath("\(folder)/\(child)") else { continue }
            switch try kind(target) {
            case .regular: given["\(name)/\(child)"] = target
            case .directory where levels > 1:
                try images(in: target, as: "\(name)/\(child)", levels: levels - 1, &given)
            default: continue
            }
        }
    }

    private static func list(_ path: String) throws(AdmissionFault) -> [String] {
        do throws(FilesError) { return try Durable.list(path) } catch { throw AdmissionFault(error) }
    }

    private static func kind(_ path: String) throws(AdmissionFault) -> FileStatus.Kind {
        do throws(FilesError) { return try FileStatus(path: path).kind } catch { throw AdmissionFault(error) }
    }
}
