internal import CControl
package import Files
internal import Glibc

/// Stream sockets of the Unix domain, by path.
package enum UnixSocket {
    /// A socket bound to `path`, which has the permissions `mode` from the first moment on; the caller closes it.
    package static func bind(_ path: String, mode: UInt32) throws(FilesError) -> Int32 {
        let descriptor = unsafe ccontrol_bind_unix(path, mode)
        guard descriptor >= 0 else { throw FilesError.system(call: "bind", path: path, errno: -descriptor) }
        // The umask may have taken some of it.
        guard unsafe chmod(path, mode) == 0 else {
            let code = errno
            close(descriptor)
            throw FilesError.system(call: "chmod", path: path, errno: code)
        }
        return descriptor
    }

    /// A socket connected to `path`; the caller closes it.
    package static func connect(_ path: String) throws(FilesError) -> Int32 {
        let descriptor = unsafe ccontrol_connect_unix(path)
        guard descriptor >= 0 else { throw FilesError.system(call: "connect", path: path, errno: -descriptor) }
        return descriptor
    }
}
