internal import Glibc

extension Durable {
    /// A second name for the same file; `to` must not exist.
    package static func link(_ from: String, to: String) throws(FilesError) {
        try FileMutation.announce(.link, to)
        guard unsafe Glibc.link(from, to) == 0 else { throw .system(call: "link", path: to, errno: errno) }
    }

    /// Makes the symbolic link `path` point at `target`, over whatever link stood there, by rename; then fsyncs the
    /// directory.
    package static func pointLink(_ path: String, at target: String) throws(FilesError) {
        let (directory, name) = path.splitPath
        let temporary = "\(directory)/.\(name).tmp"
        try remove(temporary)
        try FileMutation.announce(.symlink, temporary)
        guard unsafe symlink(target, temporary) == 0 else {
            throw .system(call: "symlink", path: temporary, errno: errno)
        }
        do throws(FilesError) {
            try rename(temporary, to: path)
        } catch {
            try? remove(temporary)
            throw error
        }
        try syncDirectory(directory)
    }

    /// Where the symbolic link `path` points; nil where nothing stands there.
    package static func linkTarget(_ path: String) throws(FilesError) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = unsafe readlink(path, &buffer, buffer.count)
        guard count >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .system(call: "readlink", path: path, errno: errno)
        }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Changes the permission bits of a file or directory; a link is followed.
    package static func changeMode(_ path: String, to mode: UInt16) throws(FilesError) {
        try FileMutation.announce(.changeMode, path)
        guard unsafe chmod(path, mode_t(mode)) == 0 else { throw .system(call: "chmod", path: path, errno: errno) }
    }
}
