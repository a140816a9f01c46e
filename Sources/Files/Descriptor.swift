internal import CFiles
internal import Glibc

/// Calls on bare descriptors that this module shares; the caller closes.
enum Descriptor {
    static func open(_ path: String, _ flags: Int32, mode: UInt16 = 0) throws(FilesError) -> Int32 {
        try open(path, beneath: AT_FDCWD, flags, mode: mode, shown: path)
    }

    /// Opens `name` relative to an open directory; `shown` is the path for errors.
    static func open(
        _ name: String, beneath directory: Int32, _ flags: Int32, mode: UInt16 = 0, shown: String
    ) throws(FilesError) -> Int32 {
        guard !name.utf8.contains(0) else { throw .system(call: "open", path: shown, errno: EINVAL) }
        while true {
            let descriptor = unsafe openat(directory, name, flags, mode_t(mode))
            if descriptor >= 0 { return descriptor }
            guard errno == EINTR else { throw .system(call: "open", path: shown, errno: errno) }
        }
    }

    /// Opens a directory only as a place to start from: that needs no permission to read it.
    static func openPlace(_ path: String) throws(FilesError) -> Int32 {
        let result = unsafe cfiles_open_place(path)
        guard result >= 0 else { throw .system(call: "open", path: path, errno: 0 - result) }
        return result
    }

    /// fsync, once: after a failure the kernel may have dropped the pages, so a second try would lie.
    static func sync(_ descriptor: Int32, path: String) throws(FilesError) {
        try FileMutation.announce(.sync, path)
        guard FileCalls.current.sync(descriptor) == 0 else { throw .system(call: "fsync", path: path, errno: errno) }
    }

    /// Names in an open directory, without `.` and `..`, in no order. Takes the descriptor over.
    static func names(adopting descriptor: Int32, path: String) throws(FilesError) -> [String] {
        guard let stream = unsafe fdopendir(descriptor) else {
            let failure = errno
            close(descriptor)
            throw .system(call: "fdopendir", path: path, errno: failure)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw .system(call: "readdir", path: path, errno: errno) }
        return names
    }
}
