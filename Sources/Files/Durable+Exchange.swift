internal import CFiles
internal import Glibc

extension Durable {
    /// Makes two directory entries of one file system change places in one step, whatever they are. False where the
    /// file system can't do that (NFS).
    package static func exchange(_ one: String, _ other: String) throws(FilesError) -> Bool {
        try FileMutation.announce(.rename, other)
        let failure = unsafe 0 - cfiles_exchange(one, other)
        if failure == 0 { return true }
        if [EINVAL, ENOSYS, ENOTSUP].contains(failure) { return false }
        throw .system(call: "renameat2", path: other, errno: failure)
    }
}
