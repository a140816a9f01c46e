internal import Files
internal import Foundation
internal import WorkerProtocol

/// Copies configuration, tokenizer and graph from the base into a release; these never come from a task.
struct BaseCopy {
    let directory: String
    /// Links may not lead out of this directory; nil: `directory`.
    let root: String?
    /// The admitted files of the base. A copied file must have its admitted digest.
    let admitted: [SourceFile]

    /// Copies the existing files into `target` and returns names, lengths and digests. Memory: one chunk.
    func copy(to target: String) throws -> [SourceFile] {
        var copies: [SourceFile] = []
        for name in try names() {
            guard let file = try open(name) else { continue }
            if BaseFiles.mayNameCode(name) { try refuseCode(in: file) }
            if name.contains("/") { try Durable.createDirectories("\(target)/\(name.splitPath.directory)") }
            copies.append(try copy(file, name: name, to: "\(target)/\(name)"))
        }
        return copies
    }

    /// Files of the base that may be passed on, those in its subfolders among them, and those that were admitted.
    private func names() throws -> [String] {
        var names = Set(BaseFiles.allowed.map(\.name) + admitted.map(\.name).filter(BaseFiles.isPassedOn))
        let entries = try Durable.list(directory)
        names.formUnion(entries.filter(BaseFiles.isPassedOn))
        for folder in entries where BaseFiles.isFolder(folder) {
            guard try FileStatus(path: "\(directory)/\(folder)").kind == .directory else { continue }
            names.formUnion(
                try Durable.list("\(directory)/\(folder)").map { "\(folder)/\($0)" }.filter(BaseFiles.isPassedOn))
        }
        return names.sorted()
    }

    private func copy(_ file: ReadableFile, name: String, to path: String) throws -> SourceFile {
        let copy = try WritableFile(creating: path)
        let sha256 = unsafe try file.sha256 { bytes, _ in unsafe try copy.append(bytes) }
        try copy.finish(sync: false)
        if let known = admitted.first(where: { $0.name == name }), known.sha256 != sha256 {
            throw ReleasesError.baseChanged(
                path: file.path, reason: "it changed after the base was admitted; merge again from the new base")
        }
        return SourceFile(name: name, bytes: copy.count, sha256: sha256)
    }

    private func open(_ name: String) throws -> ReadableFile? {
        if let file = try openIfPresent(name) { return file }
        guard admitted.contains(where: { $0.name == name }) else { return nil }
        throw ReleasesError.baseChanged(
            path: "\(directory)/\(name)", reason: "it vanished after the base was admitted; put it back")
    }

    private func openIfPresent(_ name: String) throws(FilesError) -> ReadableFile? {
        do throws(FilesError) {
            return try ReadableFile(name: name, directory: directory, root: root)
        } catch {
            if error.errno == ENOENT { return nil }
            throw error
        }
    }

    private func refuseCode(in file: ReadableFile) throws {
        switch BaseFiles.fault(in: try file.contents(limit: BaseFiles.longestConfiguration)) {
        case .notJSON(let reason):
            throw ReleasesError.badBase(
                path: file.path, reason: "it is not JSON that Python reads: \(reason); save the base model again")
        case .namesCode(let key):
            throw ReleasesError.badBase(
                path: file.path, reason: "it names Python code (\(key)), which is never passed on; remove that key")
        case nil: return
        }
    }
}
