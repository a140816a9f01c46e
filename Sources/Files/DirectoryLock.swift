internal import Glibc

/// An exclusive lock on a directory, held until the object goes away or the process ends (`flock`).
package final class DirectoryLock: Sendable {
    private let descriptor: Int32

    private init(adopting descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// The lock on the directory at `path`; nil where somebody else holds it, or where the directory is no longer there
    /// under this path.
    package static func acquire(_ path: String) throws(FilesError) -> DirectoryLock? {
        let descriptor: Int32
        do throws(FilesError) {
            descriptor = try Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        } catch {
            if error.errno == ENOENT { return nil }
            throw error
        }
        let lock = DirectoryLock(adopting: descriptor)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK { return nil }
            throw .system(call: "flock", path: path, errno: errno)
        }
        var (held, named) = (stat(), stat())
        guard unsafe fstat(descriptor, &held) == 0, unsafe lstat(path, &named) == 0 else { return nil }
        return held.st_ino == named.st_ino && held.st_dev == named.st_dev ? lock : nil
    }
}
