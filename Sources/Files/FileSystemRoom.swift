internal import CFiles

/// How much a file system holds.
package struct FileSystemRoom: Hashable, Sendable {
    /// Bytes that this user may still fill.
    package var available: Int64
    /// Bytes in all.
    package var total: Int64

    /// Of the file system that `path` lies on.
    package init(path: String) throws(FilesError) {
        var (available, total): (Int64, Int64) = (0, 0)
        let result = unsafe cfiles_room(path, &available, &total)
        guard result == 0 else { throw .system(call: "statvfs", path: path, errno: 0 - result) }
        self.available = available
        self.total = total
    }
}
