internal import Glibc

extension Durable {
    /// Removes a tree without following links; a missing one is fine. Read-only directories are made writable on the
    /// way.
    package static func remove(_ path: String) throws(FilesError) {
        let (parent, name) = path.splitPath
        let directory: Int32
        do throws(FilesError) {
            directory = try Descriptor.openPlace(parent)
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return }
            throw error
        }
        defer { close(directory) }
        try remove(name, beneath: directory, path: path)
    }

    private static func remove(_ name: String, beneath directory: Int32, path: String) throws(FilesError) {
        var status = stat()
        guard unsafe fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return }
            throw .system(call: "stat", path: path, errno: errno)
        }
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        if isDirectory { try empty(name, beneath: directory, path: path) }
        try FileMutation.announce(.remove, path)
        guard unsafe unlinkat(directory, name, isDirectory ? AT_REMOVEDIR : 0) != 0 else { return }
        if errno == ENOENT { return }
        throw .system(call: "unlink", path: path, errno: errno)
    }

    private static func empty(_ name: String, beneath parent: Int32, path: String) throws(FilesError) {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let directory = try Descriptor.open(name, beneath: parent, flags, shown: path)
        defer { close(directory) }
        var status = stat()
        if unsafe fstat(directory, &status) == 0, status.st_mode & 0o700 != 0o700 {
            try FileMutation.announce(.changeMode, path)
            guard fchmod(directory, (status.st_mode & 0o7777) | 0o700) == 0 else {
                throw .system(call: "chmod", path: path, errno: errno)
            }
        }
        let listing = try Descriptor.open(".", beneath: directory, flags, shown: path)
        for child in try Descriptor.names(adopting: listing, path: path) {
            try remove(child, beneath: directory, path: "\(path)/\(child)")
        }
    }
}
