import Glibc

/// An archive opened for reading; closed with its last reference. Reads are bounded by the file's size when it was opened.
final class ArchiveFile: Sendable {
    let path: String
    let size: Int
    private let descriptor: Int32

    init(path: String) throws(GraphError) {
        let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw .malformed(path: path, reason: "it can't be opened (errno \(errno))") }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .malformed(path: path, reason: "it is not a regular file")
        }
        self.path = path
        self.descriptor = descriptor
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// `count` bytes from byte `offset`.
    func bytes(at offset: Int, count: Int) throws(GraphError) -> [UInt8] {
        guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
            throw .malformed(path: path, reason: "it ends before byte \(offset) + \(count)")
        }
        var isWhole = true
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let rest = unsafe UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                let read = unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset + filled))
                if read < 0, errno == EINTR { continue }
                guard read > 0 else {
                    isWhole = false
                    return
                }
                filled += read
            }
        }
        guard isWhole else { throw .malformed(path: path, reason: "it can't be read at byte \(offset)") }
        return bytes
    }
}
