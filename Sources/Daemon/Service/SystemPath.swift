import Glibc

/// Paths that the system knows of this process.
enum SystemPath {
    /// A program in the folder of this one. The three may be one file, which goes by the name that it is called by.
    static func neighbour(_ name: String) -> String {
        let own = (try? executable()) ?? "/usr/bin/supermerged"
        return own.prefix(upTo: own.lastIndex(of: "/") ?? own.startIndex) + "/\(name)"
    }

    /// The file that this process runs; throws where /proc is not there.
    static func executable() throws -> String {
        var name = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &name, name.count)
        let bytes = name.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        guard !bytes.isEmpty else { throw DaemonFailure("/proc/self/exe can't be read; is /proc mounted?") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
