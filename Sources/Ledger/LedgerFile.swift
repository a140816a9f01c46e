import Glibc

/// The open file beneath a ledger. Its writer holds a lock on it, so that there is only one.
final class LedgerFile: Sendable {
    /// Bytes that a line may have; bounds the memory that a reader needs.
    static let longestLine = 16 << 20

    let path: String
    private let descriptor: Int32
    private let calls: LedgerCalls

    /// Opens `path`; for writing it is created where it is missing, and locked.
    init(path: String, forWriting: Bool, calls: LedgerCalls = LedgerCalls()) throws(LedgerError) {
        self.path = path
        self.calls = calls
        let flags = (forWriting ? O_RDWR | O_CREAT | O_APPEND : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        descriptor = unsafe open(path, flags, 0o640)
        guard descriptor >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .system(call: "fstat", path: path, errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular(path: path) }
        guard forWriting else { return }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw errno == EWOULDBLOCK ? .locked(path: path) : .system(call: "flock", path: path, errno: errno)
        }
    }

    deinit {
        guard descriptor >= 0 else { return }
        // Closing is not enough: a child between its fork and its exec holds the same open file, and with it the lock.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    func size() throws(LedgerError) -> Int {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .system(call: "fstat", path: path, errno: errno) }
        return Int(status.st_size)
    }

    /// Throws where the path has another file by now, or where somebody else made this one shorter or longer than
    /// `length`: what is appended then would be lost.
    func checkPlace(length: Int) throws(LedgerError) {
        var (own, there) = (stat(), stat())
        guard unsafe fstat(descriptor, &own) == 0 else { throw .system(call: "fstat", path: path, errno: errno) }
        guard unsafe lstat(path, &there) == 0 else {
            throw errno == ENOENT || errno == ENOTDIR
                ? .moved(path: path) : .system(call: "stat", path: path, errno: errno)
        }
        guard own.st_dev == there.st_dev, own.st_ino == there.st_ino else { throw .moved(path: path) }
        guard Int(own.st_size) == length else {
            throw .altered(path: path, bytes: Int(own.st_size), expected: length)
        }
    }

    /// Up to `count` bytes from `offset`; fewer at the end of the file.
    func read(at offset: Int, count: Int) throws(LedgerError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count {
                let got = unsafe pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
                if got < 0 && errno == EINTR { continue }
                if got < 0 { failure = errno }
                guard got > 0 else { return }
                filled += got
            }
        }
        calls.noteRead(bytes.count)
        guard failure == 0 else { throw .system(call: "pread", path: path, errno: failure) }
        return bytes
    }

    /// One write at the end of the file and an fsync. Whatever went wrong, part of the bytes may be there.
    func append(_ bytes: [UInt8]) throws(LedgerError) {
        var written = 0
        repeat { written = calls.write(descriptor, bytes) } while written < 0 && errno == EINTR
        guard written >= 0 else { throw .system(call: "write", path: path, errno: errno) }
        guard written == bytes.count else { throw .system(call: "write", path: path, errno: ENOSPC) }
        guard calls.sync(descriptor) == 0 else { throw .system(call: "fsync", path: path, errno: errno) }
    }

    /// Cuts the file to `length` bytes and fsyncs.
    func truncate(to length: Int) throws(LedgerError) {
        var result: Int32 = 0
        repeat { result = calls.truncate(descriptor, length) } while result < 0 && errno == EINTR
        guard result == 0 else {
            throw .system(call: "ftruncate", path: path, errno: errno)
        }
        guard calls.sync(descriptor) == 0 else { throw .system(call: "fsync", path: path, errno: errno) }
    }
}
