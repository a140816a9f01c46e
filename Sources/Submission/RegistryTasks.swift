package import Files
import Foundation

/// The `tasks` folder of a registry, for those who put tasks in and take them out. What is under way has a name that
/// begins with a dot, which a registry ignores.
package struct RegistryTasks: Sendable {
    private static let prefix = ".submit-"

    package let directory: String

    package init(registry: String) { directory = "\(registry)/tasks" }

    package func holds(_ task: String) throws(FilesError) -> Bool {
        try FileStatus.ifPresent(folder(task)) != nil
    }

    /// Copies files (relative name → path) into the task's folder, in one step with what is there under its name.
    ///
    /// They are copied beside it, by sharing blocks where the file system can, fsynced, readable to the registry's
    /// group, and renamed. A crash leaves the old folder or the new one, and maybe a hidden rest that the next call
    /// removes. Returns the folder that was there before, where it could not be removed.
    package func put(_ files: [String: String], as task: String) throws -> String? {
        try removeRests()
        let (staging, lock) = try makeStaging(task)
        defer { withExtendedLifetime(lock) {} }
        do {
            for (name, path) in files.sorted(by: { $0.key < $1.key }) { try copy(path, to: name, in: staging) }
            try Durable.syncTree(staging)
            let former = try swapIn(staging, for: task)
            try Durable.syncDirectory(directory)
            return former
        } catch {
            try? Durable.remove(staging)
            throw error
        }
    }

    /// Takes the task's folder away in one step. Returns the hidden folder that is left, where it could not be removed.
    package func take(_ task: String) throws -> String? {
        try removeRests()
        let former = hidden(task)
        try Durable.rename(folder(task), to: former)
        try Durable.syncDirectory(directory)
        return discard(former)
    }

    /// Puts the staged folder in the task's place.
    private func swapIn(_ staging: String, for task: String) throws -> String? {
        let folder = folder(task)
        guard try holds(task) else {
            try Durable.rename(staging, to: folder)
            return nil
        }
        if try Durable.exchange(staging, folder) { return discard(staging) }
        let former = hidden(task)
        try Durable.rename(folder, to: former)
        try Durable.rename(staging, to: folder)
        return discard(former)
    }

    private func discard(_ path: String) -> String? {
        do throws(FilesError) {
            try Durable.remove(path)
            return nil
        } catch {
            return path
        }
    }

    /// Removes what calls that were killed left behind; those that still run hold a lock.
    private func removeRests() throws {
        for name in try Durable.list(directory) where name.hasPrefix(Self.prefix) {
            guard let lock = try? DirectoryLock.acquire("\(directory)/\(name)") else { continue }
            // Another member's may stay: the group can't remove it.
            try? Durable.remove("\(directory)/\(name)")
            withExtendedLifetime(lock) {}
        }
    }

    /// A new folder beside the task's, for its group to change, with the lock that tells it from a rest.
    private func makeStaging(_ task: String) throws -> (path: String, lock: DirectoryLock) {
        while true {
            let path = hidden(task)
            try Durable.createDirectories(path, mode: 0o775)
            try allow(0o070, on: path)
            if let lock = try DirectoryLock.acquire(path) { return (path, lock) }
        }
    }

    private func copy(_ source: String, to name: String, in staging: String) throws {
        var folder = staging
        for part in name.pathNames.dropLast() {
            folder += "/" + part
            guard try FileStatus.ifPresent(folder) == nil else { continue }
            try Durable.createDirectories(folder, mode: 0o775)
            try allow(0o070, on: folder)
        }
        let (from, path) = (try ReadableFile(path: source), "\(staging)/\(name)")
        let identity = try from.identity()
        let to = try WritableFile(creating: path, mode: 0o664)
        if try !to.share(from) {
            try to.reserve(from.size)
            _ = unsafe try from.sha256 { chunk, _ in unsafe try to.append(chunk) }
        }
        try to.finish(sync: false)
        guard try from.identity() == identity else { throw SubmissionError.changed(source) }
        try allow(0o440, on: path)
    }

    /// Adds permissions that a strict umask took away.
    private func allow(_ bits: UInt16, on path: String) throws(FilesError) {
        let mode = try FileStatus(path: path).mode
        if mode & bits != bits { try Durable.changeMode(path, to: mode | bits) }
    }

    private func folder(_ task: String) -> String { "\(directory)/\(task)" }
    private func hidden(_ task: String) -> String { "\(directory)/\(Self.prefix)\(task)-\(UUID().uuidString)" }
}

/// Why a submission failed, where no file did.
package enum SubmissionError: Error, Hashable, CustomStringConvertible {
    /// A file was written to while it was copied.
    case changed(String)

    package var description: String {
        switch self {
        case .changed(let path): "\(path) changed while it was copied; submit it again once it is whole"
        }
    }
}
