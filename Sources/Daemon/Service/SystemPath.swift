import Glibc

/// Paths that the system knows of this process.
enum SystemPath {
    /// The file that this process runs; throws where /proc is not there.
    static func executable() throws -> String {
        var name = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &name, name.count)
        let bytes = name.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        guard !bytes.isEmpty else { throw DaemonFailure("/proc/self/exe can't be read; is /proc mounted?") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
