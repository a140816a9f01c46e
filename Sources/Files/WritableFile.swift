internal import CFiles
internal import Glibc

/// A new file being written front to back. Not fsynced before `finish(sync: true)`; closed with its last reference.
package final class WritableFile {
    package let path: String
    /// Bytes appended so far.
    package private(set) var count: Int64 = 0
    private var descriptor: Int32

    /// Creates `path`, which must not exist (O_EXCL, so that no link is followed).
    package init(creating path: String, mode: UInt16 = 0o640) throws(FilesError) {
        self.path = path
        try FileMutation.announce(.create, path)
        descriptor = try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode: mode)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    package func append(_ bytes: UnsafeRawBufferPointer) throws(FilesError) {
        try FileMutation.announce(.write, path)
        let calls = FileCalls.current
        var done = 0
        while done < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            let written = unsafe calls.write(descriptor, rest)
            if written > 0 {
                done += written
            } else if written == 0 || errno != EINTR {
                throw .system(call: "write", path: path, errno: written == 0 ? EIO : errno)
            }
        }
        count += Int64(done)
    }

    /// Reserves room for `bytes` in all, so that a full disk is noticed at the start; file systems that can't are
    /// ignored.
    package func reserve(_ bytes: Int64) throws(FilesError) {
        guard bytes > 0 else { return }
        let failure = 0 - cfiles_reserve(descriptor, bytes)
        if [ENOSPC, EDQUOT, EFBIG].contains(failure) {
            throw .system(call: "fallocate", path: path, errno: failure)
        }
    }

    /// Fills this file, which must still be empty, with the whole content of `other` by sharing its blocks: nothing is
    /// read or written, and later changes of the one don't show in the other. False where the file systems can't do
    /// that.
    package func share(_ other: ReadableFile) throws(FilesError) -> Bool {
        precondition(count == 0, "only an empty file can share another's content")
        try FileMutation.announce(.write, path)
        guard cfiles_clone(descriptor, other.descriptor) == 0 else { return false }
        count = other.size
        return true
    }

    /// fsyncs where asked, and closes. A failed fsync is final: throw the file away.
    package func finish(sync: Bool) throws(FilesError) {
        if sync { try Descriptor.sync(descriptor, path: path) }
        let result = close(descriptor)
        descriptor = -1
        guard result == 0 || errno == EINTR else { throw .system(call: "close", path: path, errno: errno) }
    }
}
