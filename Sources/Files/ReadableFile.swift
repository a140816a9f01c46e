/// An open regular file that somebody else may own: read with `pread`, never mapped, closed with its last reference.
package final class ReadableFile: Sendable {
    package let path: String
    package let size: Int64

    /// Opens `path` (O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) and checks that it is a regular file.
    package init(path: String) throws(FilesError) { fatalError() }

    /// Opens `name` below `directory` without leaving it by `..` or links (openat2 RESOLVE_BENEATH).
    package init(name: String, beneath directory: String) throws(FilesError) { fatalError() }

    /// The identity by a new `fstat`.
    package func identity() throws(FilesError) -> FileIdentity { fatalError() }

    /// Fills the whole buffer from byte `offset`; short reads go on, end of file is `FilesError.truncated`.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FilesError) { fatalError() }

    /// SHA-256 of the whole content, `chunk` bytes at a time; `visit` sees each chunk and its offset in the same pass.
    package func sha256(
        chunk: Int = 1 << 20, visit: (UnsafeRawBufferPointer, Int64) throws -> Void = { _, _ in }
    ) throws -> String { fatalError() }
}
