/// Writes that survive a power cut: content, then fsync of the file, then rename, then fsync of the directory.
package enum Durable {
    /// Replaces `path` by a temporary file beside it that is written, fsynced and renamed over; then fsyncs the directory.
    package static func replace(_ path: String, with bytes: [UInt8], mode: UInt16 = 0o640) throws(FilesError) { fatalError() }
    /// fsync of every file and directory below `path`, depth first, and of `path`.
    package static func syncTree(_ path: String) throws(FilesError) { fatalError() }
    /// fsync of one directory.
    package static func syncDirectory(_ path: String) throws(FilesError) { fatalError() }
    /// `mkdir -p`; existing directories are fine.
    package static func createDirectories(_ path: String, mode: UInt16 = 0o750) throws(FilesError) { fatalError() }
    /// Removes a tree without following links; a missing one is fine.
    package static func remove(_ path: String) throws(FilesError) { fatalError() }
    package static func rename(_ from: String, to: String) throws(FilesError) { fatalError() }
    /// Names in a directory, sorted, without `.` and `..`.
    package static func list(_ path: String) throws(FilesError) -> [String] { fatalError() }
    /// The whole of a small file; `limit` bytes at most.
    package static func contents(_ path: String, limit: Int = 64 << 20) throws(FilesError) -> [UInt8] { fatalError() }
}
