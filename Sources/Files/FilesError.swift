/// What went wrong with a file, where, and what the system said.
package enum FilesError: Error, Hashable, Sendable {
    /// A system call failed: its name, the path and errno.
    case system(call: String, path: String, errno: Int32)
    case notRegular(path: String)
    case truncated(path: String, offset: Int64)
}

extension FilesError: CustomStringConvertible {
    package var description: String { "\(self)" }
}
