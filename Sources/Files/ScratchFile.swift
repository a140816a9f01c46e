internal import Glibc

/// A file without a name, for what does not fit into memory: its blocks go back to the file system with the last
/// reference, also when the process is killed.
package final class ScratchFile {
    /// The name that it had while it was opened, for errors.
    package let path: String
    /// Bytes up to the end of what was written.
    package private(set) var count: Int64 = 0
    private let descriptor: Int32

    /// Creates `path`, which must not exist, and takes its name away again.
    package init(path: String) throws(FilesError) {
        self.path = path
        try FileMutation.announce(.create, path)
        descriptor = try Descriptor.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode: 0o600)
        try Durable.remove(path)
    }

    deinit { close(descriptor) }

    /// Writes all of `bytes` from byte `offset` on.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FilesError) {
        var done = 0
        while done < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            let written = unsafe pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + Int64(done)))
            if written > 0 {
                done += written
            } else if written == 0 || errno != EINTR {
                throw .system(call: "pwrite", path: path, errno: written == 0 ? EIO : errno)
            }
        }
        count = max(count, offset + Int64(done))
    }

    /// Fills the whole buffer from byte `offset`; the end of the file is `FilesError.truncated`.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FilesError) {
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset + Int64(done)))
            if count > 0 {
                done += count
            } else if count == 0 {
                throw .truncated(path: path, offset: offset + Int64(done))
            } else if errno != EINTR {
                throw .system(call: "pread", path: path, errno: errno)
            }
        }
    }
}
