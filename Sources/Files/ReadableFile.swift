internal import CFiles
internal import Glibc

/// An open regular file that somebody else may own: read with `pread`, never mapped, closed with its last reference.
package final class ReadableFile: Sendable {
    package let path: String
    /// Length in bytes when it was opened.
    package let size: Int64
    let descriptor: Int32

    private init(adopting descriptor: Int32, path: String) throws(FilesError) {
        self.descriptor = descriptor
        self.path = path
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let failure = errno
            close(descriptor)
            throw .system(call: "fstat", path: path, errno: failure)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .notRegular(path: path)
        }
        size = Int64(status.st_size)
    }

    deinit { close(descriptor) }

    /// Opens `path` (O_NONBLOCK | O_CLOEXEC, and O_NOFOLLOW unless `followingLinks`) and checks that it is a regular
    /// file.
    package convenience init(path: String, followingLinks: Bool = false) throws(FilesError) {
        let flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | (followingLinks ? 0 : O_NOFOLLOW)
        try self.init(adopting: Descriptor.open(path, flags), path: path)
    }

    /// Opens `name` below `directory` without leaving it by `..` or links (openat2 RESOLVE_BENEATH). Relative links
    /// that stay inside are followed.
    package convenience init(name: String, beneath directory: String) throws(FilesError) {
        let path = "\(directory)/\(name)"
        guard !name.utf8.contains(0) else { throw .system(call: "openat2", path: path, errno: EINVAL) }
        let root = try Descriptor.openPlace(directory)
        defer { close(root) }
        let flags = UInt64(O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        var attempts = 0
        while true {
            let result = unsafe cfiles_openat2(root, name, flags, Self.resolveBeneath | Self.resolveNoMagicLinks)
            if result >= 0 {
                try self.init(adopting: result, path: path)
                return
            }
            // EAGAIN: something was renamed while the kernel walked, and it could not rule out an escape.
            attempts += 1
            if (result == -EAGAIN && attempts < 64) || result == -EINTR { continue }
            throw .system(call: "openat2", path: path, errno: 0 - result)
        }
    }

    /// The identity by a new `fstat`.
    package func identity() throws(FilesError) -> FileIdentity { try status().identity }

    package func status() throws(FilesError) -> FileStatus {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw .system(call: "fstat", path: path, errno: errno)
        }
        return FileStatus(status)
    }

    /// Fills the whole buffer from byte `offset`; short reads go on, end of file is `FilesError.truncated`.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FilesError) {
        let count = unsafe try readSome(into: buffer, at: offset)
        guard count == buffer.count else { throw .truncated(path: path, offset: offset + Int64(count)) }
    }

    /// Has the kernel read these bytes into its page cache. A hint: nothing fails, and nothing is waited for but the
    /// requests that are queued.
    package func willNeed(_ bytes: Range<Int64>) {
        _ = posix_fadvise(descriptor, off_t(bytes.lowerBound), off_t(bytes.count), POSIX_FADV_WILLNEED)
    }

    /// Fills as much of the buffer as the file has from byte `offset` and returns the number of bytes; 0 at its end.
    package func readSome(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FilesError) -> Int {
        let calls = FileCalls.current
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = unsafe calls.read(descriptor, rest, offset + Int64(done))
            if count > 0 {
                done += count
            } else if count == 0 {
                break
            } else if errno != EINTR {
                throw .system(call: "pread", path: path, errno: errno)
            }
        }
        return done
    }

    /// SHA-256 of the whole content, `chunk` bytes at a time; `visit` sees each chunk and its offset in the same pass.
    /// A file that ends before the `size` it was opened with is `FilesError.truncated`; memory is one chunk.
    package func sha256(
        chunk: Int = 1 << 20, visit: (UnsafeRawBufferPointer, Int64) throws -> Void
    ) throws -> String {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(chunk, 1), alignment: 64)
        defer { unsafe buffer.deallocate() }
        var digest = Digest()
        var offset: Int64 = 0
        while offset < size {
            let count = Int(min(Int64(buffer.count), size - offset))
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
            unsafe try read(into: part, at: offset)
            unsafe digest.update(UnsafeRawBufferPointer(part))
            unsafe try visit(UnsafeRawBufferPointer(part), offset)
            offset += Int64(count)
        }
        return digest.hexadecimal()
    }

    /// SHA-256 of the whole content; memory is 1 MiB.
    package func sha256() throws -> String { unsafe try sha256 { _, _ in } }

    private static let resolveNoMagicLinks: UInt64 = 0x02
    private static let resolveBeneath: UInt64 = 0x08
}
