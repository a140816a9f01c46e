package import Glibc

/// What stands at a path: kind, permissions and identity.
package struct FileStatus: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        case regular, directory, link
        /// A FIFO, socket or device.
        case special
    }

    package var kind: Kind
    /// Permission bits (`st_mode & 0o7777`).
    package var mode: UInt16
    /// Names that this file has.
    package var links: Int
    package var owner: User
    package var identity: FileIdentity

    package init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .link
            default: .special
            }
        mode = UInt16(truncatingIfNeeded: status.st_mode & 0o7777)
        links = Int(status.st_nlink)
        owner = User(status.st_uid)
        identity = FileIdentity(status)
    }

    /// Looks at `path`; a link itself unless `followingLinks`.
    package init(path: String, followingLinks: Bool = false) throws(FilesError) {
        var status = stat()
        let result = unsafe followingLinks ? stat(path, &status) : lstat(path, &status)
        guard result == 0 else { throw .system(call: "stat", path: path, errno: errno) }
        self.init(status)
    }

    /// The same, or nil where nothing stands at `path`.
    package static func ifPresent(_ path: String, followingLinks: Bool = false) throws(FilesError) -> FileStatus? {
        do throws(FilesError) {
            return try FileStatus(path: path, followingLinks: followingLinks)
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            throw error
        }
    }
}
