import Glibc

/// A mounted file system; unmounted by `end`.
struct Mount {
    let path: String

    init(_ device: String, _ kind: FileSystem, at path: String) throws {
        mkdir(path, 0o755)
        guard mount(device, path, kind.rawValue, 0, nil) == 0 else { throw DrillError.system("mount", device) }
        self.path = path
    }

    func end() throws {
        guard umount(path) == 0 else { throw DrillError.system("umount", path) }
    }

    /// Calls `body` with a file's content mounted, then takes it away.
    static func withFile<Result>(
        _ file: String, _ kind: FileSystem, at path: String, _ body: (String) throws -> Result
    ) throws -> Result {
        let (setFile, clearFile) = (UInt(0x4C00), UInt(0x4C01))
        kind.forgetDisks()
        let device = "/dev/loop0"
        let (loop, content) = (open(device, O_RDWR | O_CLOEXEC), open(file, O_RDWR | O_CLOEXEC))
        defer {
            close(content)
            close(loop)
        }
        guard loop >= 0, content >= 0, ioctl(loop, setFile, content) == 0 else { throw DrillError.system("loop", file) }
        defer { _ = ioctl(loop, clearFile, 0) }
        let mounted = try Mount(device, kind, at: path)
        let result: Result
        do {
            result = try body(mounted.path)
        } catch {
            try? mounted.end()
            throw error
        }
        try mounted.end()
        return result
    }
}
