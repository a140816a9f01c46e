internal import Glibc
internal import SystemPackage

/// What went wrong with a file, where, and what the system said.
package enum FilesError: Error, Hashable, Sendable {
    /// A system call failed: its name, the path and errno.
    case system(call: String, path: String, errno: Int32)
    case notRegular(path: String)
    case truncated(path: String, offset: Int64)
    /// More bytes than the reader is willing to hold.
    case tooLarge(path: String, limit: Int)

    /// What the system said, where it was the system.
    package var errno: Int32? {
        if case .system(_, _, let errno) = self { errno } else { nil }
    }

    /// Whether it is the file that is to blame: there is none of that name, or something else than a whole one. What
    /// else the system refuses says nothing of the file, and may pass.
    package var isDamage: Bool {
        guard let code = errno else { return true }
        return [ENOENT, ENOTDIR, ELOOP, EXDEV, ENXIO, EINVAL, ENAMETOOLONG].contains(code)
    }
}

extension FilesError: CustomStringConvertible {
    /// One line: what happened and what to do.
    package var description: String {
        switch self {
        case .system(let call, let path, let errno):
            let advice = Self.advice(errno, call: call).map { "; \($0)" } ?? ""
            return "\(path): \(call) failed: \(Errno(rawValue: errno))\(advice)"
        case .notRegular(let path):
            return "\(path): not a regular file; put a file there, not a directory, FIFO, socket or device"
        case .truncated(let path, let offset):
            return "\(path): ends at or before byte \(offset), where more was expected; copy it again, whole"
        case .tooLarge(let path, let limit):
            return "\(path): longer than the \(limit) bytes allowed here; check that it is the right file"
        }
    }

    private static func advice(_ errno: Int32, call: String) -> String? {
        switch errno {
        case ENOSPC: "free space (or inodes) on its file system"
        case EDQUOT: "raise the quota of the service's user or free space"
        case EACCES where call == "openat2":
            "let the service's user read it: chmod -R g+rX the folder, in a group of the service"
        case EACCES, EPERM: "give the service's user the permission"
        case EROFS: "mount the file system writable, and list the directory in the unit's ReadWritePaths="
        case ENOENT: "check that the path exists"
        case ENOTDIR: "check that every part of the path but the last is a directory"
        case ELOOP: "put the file itself there instead of a symbolic link"
        case EXDEV where call == "openat2": "links must be relative and stay inside the directory"
        case EXDEV: "both paths must lie on the same file system"
        case EEXIST, ENOTEMPTY: "move what stands there away or choose another path"
        case EMFILE, ENFILE: "raise the limit of open files (LimitNOFILE= of the unit)"
        case EIO: "check the disk and the kernel's log"
        case EISDIR: "give the path of a file"
        case ENAMETOOLONG: "choose a shorter name"
        case ENOSYS where call == "openat2": "Linux 5.6 or newer is needed"
        default: nil
        }
    }
}
