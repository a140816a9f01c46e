package import Glibc

/// Which file a descriptor is and how it stood: equal before and after a read means that nothing changed between.
package struct FileIdentity: Hashable, Sendable, CustomStringConvertible {
    package var device: UInt64
    package var inode: UInt64
    package var size: Int64
    /// Modification and status-change times in nanoseconds since 1970.
    package var modified: Int64
    package var changed: Int64

    package init(device: UInt64, inode: UInt64, size: Int64, modified: Int64, changed: Int64) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
    }

    package init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modified = Self.nanoseconds(status.st_mtim)
        changed = Self.nanoseconds(status.st_ctim)
    }

    /// Of whatever stands at `path`, a link itself included (`lstat`).
    package static func of(path: String) throws(FilesError) -> FileIdentity {
        try FileStatus(path: path).identity
    }

    /// `device:inode:size:modified:changed`, the stamp of `SourceFile`.
    package var description: String { "\(device):\(inode):\(size):\(modified):\(changed)" }

    /// Wraps around instead of trapping: a file system may hold any time at all.
    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
