package import Files
import Foundation
package import WorkerProtocol

/// The files of deployed tasks, in the state directory, so that a task can be merged again whatever happens to its
/// drop: a folder for each content, named by its digest.
///
/// A folder is filled beside its place and renamed there, so that what stands under a digest is whole. On btrfs and XFS
/// it shares the drop's blocks and costs nothing; elsewhere it is a copy. `.stamps.json` in it holds the files'
/// identities after copying: equal ones need no second reading, others are read and compared with the digests.
package actor TaskStore {
    /// What must stay free on the file system after a copy, at most: the ledger lies there, too.
    private static let mostReserved: Int64 = 1 << 30
    private static let stampsName = ".stamps.json"
    private static let stagingPrefix = ".incoming-"

    private let directory: String
    private let executor = BlockingExecutor(label: "kept-tasks")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    /// `directory` is made at the first `keep`.
    package init(directory: String) { self.directory = directory }

    /// Copies a task's files, of which links may not lead out of `root`, and gives the task as it lies here; one that
    /// is here already is not copied again. The task's own stamps are checked before and after.
    ///
    /// Throws `TaskStoreError`, and `CancellationError` in the middle of a copy.
    package func keep(_ task: TaskSource, root: String) throws -> TaskSource {
        if let kept = find(task) { return kept }
        let staging = "\(directory)/\(Self.stagingPrefix)\(task.digest)"
        do {
            try Durable.remove(staging)
            try Durable.createDirectories(staging)
            var stamps: [String: String] = [:]
            for folder in Self.folders(of: task.files) { try Durable.createDirectories("\(staging)/\(folder)") }
            for (place, file) in task.files.enumerated() {
                try copy(file, of: task, root: root, to: "\(staging)/\(file.name)", left: task.files[place...])
                stamps[file.name] = try FileIdentity.of(path: "\(staging)/\(file.name)").description
            }
            try writeStamps(stamps, in: staging)
            for folder in Self.folders(of: task.files) { try Durable.syncDirectory("\(staging)/\(folder)") }
            try Durable.syncDirectory(staging)
            try Durable.rename(staging, to: folder(task))
            try Durable.syncDirectory(directory)
        } catch {
            try? Durable.remove(staging)
            if let error = error as? FilesError { throw TaskStoreError.file(error) }
            throw error
        }
        return kept(task, stamps: try readStamps(folder(task)))
    }

    /// The task as it lies here, whole; nil where it does not. One whose bytes are not what its digests say is removed.
    package func find(_ task: TaskSource) -> TaskSource? {
        let folder = folder(task)
        guard (try? FileStatus(path: folder).kind) == .directory else { return nil }
        var stamps = (try? readStamps(folder)) ?? [:]
        var isRefreshed = false
        for file in task.files {
            let path = "\(folder)/\(file.name)"
            guard let identity = try? FileIdentity.of(path: path) else { return remove(folder) }
            if identity.description == stamps[file.name] { continue }
            guard identity.size == file.bytes, (try? ReadableFile(path: path).sha256()) == file.sha256 else {
                return remove(folder)
            }
            stamps[file.name] = identity.description
            isRefreshed = true
        }
        if isRefreshed { try? writeStamps(stamps, in: folder) }
        return kept(task, stamps: stamps)
    }

    /// Removes every folder but those of these digests, and what a crash left half copied.
    package func retain(_ digests: Set<String>) throws(FilesError) {
        guard try FileStatus.ifPresent(directory) != nil else { return }
        for name in try Durable.list(directory) where !digests.contains(name) {
            try Durable.remove("\(directory)/\(name)")
        }
    }

    /// The folders that the files of a task lie in, below its own, the deeper ones first.
    private static func folders(of files: [SourceFile]) -> [String] {
        var folders: Set<String> = []
        for file in files {
            var parts = file.name.pathNames.dropLast()
            while !parts.isEmpty, folders.insert(parts.joined(separator: "/")).inserted { parts = parts.dropLast() }
        }
        return folders.sorted(by: >)
    }

    private func copy(
        _ file: SourceFile, of task: TaskSource, root: String, to path: String, left: ArraySlice<SourceFile>
    ) throws {
        let source = try ReadableFile(name: file.name, directory: task.directory, root: root)
        let identity = try source.identity()
        guard identity.description == file.stamp else { throw TaskStoreError.changed(path: source.path) }
        let target = try WritableFile(creating: path, mode: 0o440)
        if try !target.share(source) {
            try checkRoom(for: left.reduce(0) { $0 + $1.bytes })
            try target.reserve(file.bytes)
            let sha256 = unsafe try source.sha256 { chunk, _ in
                try Task.checkCancellation()
                unsafe try target.append(chunk)
            }
            guard sha256 == file.sha256 else { throw TaskStoreError.changed(path: source.path) }
        }
        guard try source.identity() == identity else { throw TaskStoreError.changed(path: source.path) }
        try target.finish(sync: true)
    }

    private func checkRoom(for bytes: Int64) throws {
        let room = try FileSystemRoom(path: directory)
        guard room.available - bytes >= min(Self.mostReserved, room.total / 20) else {
            throw TaskStoreError.noRoom(directory: directory, bytes: bytes)
        }
    }

    private func kept(_ task: TaskSource, stamps: [String: String]) -> TaskSource {
        var kept = task
        kept.directory = folder(task)
        for index in kept.files.indices { kept.files[index].stamp = stamps[kept.files[index].name] ?? "" }
        return kept
    }

    private func folder(_ task: TaskSource) -> String { "\(directory)/\(task.digest)" }

    private func remove(_ folder: String) -> TaskSource? {
        try? Durable.remove(folder)
        return nil
    }

    private func readStamps(_ folder: String) throws -> [String: String] {
        try JSONDecoder().decode(
            [String: String].self, from: Data(Durable.contents("\(folder)/\(Self.stampsName)", limit: 16 << 20)))
    }

    private func writeStamps(_ stamps: [String: String], in folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try Durable.replace("\(folder)/\(Self.stampsName)", with: Array(try encoder.encode(stamps)))
    }
}
