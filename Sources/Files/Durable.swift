internal import Glibc

/// Writes that survive a power cut: content, then fsync of the file, then rename, then fsync of the directory.
package enum Durable {
    /// Replaces `path` by a temporary file beside it that is written, fsynced and renamed over; then fsyncs the
    /// directory. After an error the old content stands, or (only if the last fsync failed) the new. One writer at a
    /// time per path.
    package static func replace(_ path: String, with bytes: [UInt8], mode: UInt16 = 0o640) throws(FilesError) {
        let temporary = try prepare(path, with: bytes, mode: mode)
        do throws(FilesError) {
            try rename(temporary, to: path)
        } catch {
            try? remove(temporary)
            throw error
        }
        try syncDirectory(path.splitPath.directory)
    }

    /// The part of `replace` that needs room on the disk: writes and fsyncs the temporary file and gives its path, for
    /// a rename to `path` and an fsync of the directory later.
    package static func prepare(
        _ path: String, with bytes: [UInt8], mode: UInt16 = 0o640
    ) throws(FilesError) -> String {
        let (directory, name) = path.splitPath
        let temporary = "\(directory)/.\(name).tmp"
        try remove(temporary)
        let file = try WritableFile(creating: temporary, mode: mode)
        do throws(FilesError) {
            try file.append(bytes)
            try file.finish(sync: true)
        } catch {
            try? remove(temporary)
            throw error
        }
        return temporary
    }

    /// fsync of every file and directory below `path`, depth first, and of `path`. Links are left alone.
    package static func syncTree(_ path: String) throws(FilesError) {
        for name in try list(path) {
            let child = "\(path)/\(name)"
            switch try FileStatus(path: child).kind {
            case .directory: try syncTree(child)
            case .regular: try syncFile(child)
            case .link, .special: continue
            }
        }
        try syncDirectory(path)
    }

    /// fsync of one directory.
    package static func syncDirectory(_ path: String) throws(FilesError) {
        let descriptor = try Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(descriptor) }
        try Descriptor.sync(descriptor, path: path)
    }

    /// fsync of one regular file.
    package static func syncFile(_ path: String) throws(FilesError) {
        let descriptor = try Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        defer { close(descriptor) }
        try Descriptor.sync(descriptor, path: path)
    }

    /// `mkdir -p`, with an fsync of the directory that each new one lies in; existing directories, and links to them,
    /// are fine.
    package static func createDirectories(_ path: String, mode: UInt16 = 0o750) throws(FilesError) {
        if let status = try FileStatus.ifPresent(path, followingLinks: true) {
            guard status.kind == .directory else { throw .system(call: "mkdir", path: path, errno: ENOTDIR) }
            return
        }
        let (parent, _) = path.splitPath
        if parent != path && parent != "." { try createDirectories(parent, mode: mode) }
        try FileMutation.announce(.makeDirectory, path)
        guard unsafe mkdir(path, mode_t(mode)) != 0 else { return try syncEntry(of: path, in: parent) }
        let failure = errno
        // Somebody else may have been faster.
        if failure == EEXIST, try FileStatus(path: path, followingLinks: true).kind == .directory { return }
        throw .system(call: "mkdir", path: path, errno: failure)
    }

    /// A new directory whose entry could not be fsynced is taken away again: the next try would find it and ask no
    /// more.
    private static func syncEntry(of path: String, in parent: String) throws(FilesError) {
        do throws(FilesError) {
            try syncDirectory(parent)
        } catch {
            if (try? FileMutation.announce(.remove, path)) != nil { _ = unsafe rmdir(path) }
            throw error
        }
    }

    package static func rename(_ from: String, to: String) throws(FilesError) {
        try FileMutation.announce(.rename, to)
        guard unsafe Glibc.rename(from, to) == 0 else { throw .system(call: "rename", path: to, errno: errno) }
    }

    /// Names in a directory, sorted by their bytes, without `.` and `..`.
    package static func list(_ path: String) throws(FilesError) -> [String] {
        let descriptor = try Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        return try Descriptor.names(adopting: descriptor, path: path).sorted()
    }

    /// The whole of a small file; more than `limit` bytes is `FilesError.tooLarge`.
    package static func contents(
        _ path: String, limit: Int = 64 << 20, followingLinks: Bool = false
    ) throws(FilesError) -> [UInt8] {
        try ReadableFile(path: path, followingLinks: followingLinks).contents(limit: limit)
    }

}
