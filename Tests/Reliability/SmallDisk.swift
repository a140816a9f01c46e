import Foundation
import Synchronization

extension FileHandle {
    /// A file made empty, for writing, which no child process inherits past its exec (Foundation's own are inherited).
    fileprivate convenience init(creating path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        self.init(fileDescriptor: descriptor, closeOnDealloc: true)
    }
}

/// A file system of its own with little room (tmpfs), for as long as the object lives.
package final class SmallDisk: Sendable {
    package let path: String
    private let isOwnFolder: Bool
    private let isMounted = Mutex(true)

    /// Mounted over the folder `place`, or over one of its own. Nil where this user may not mount.
    package init?(bytes: Int, at place: String? = nil) throws {
        path = place ?? "/tmp/sm-disk-\(UUID().uuidString.prefix(13))"
        isOwnFolder = place == nil
        if isOwnFolder { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false) }
        guard try Self.run("mount", ["-t", "tmpfs", "-o", "size=\(bytes),mode=0700", "supermerge-test", path]) else {
            if isOwnFolder { try? FileManager.default.removeItem(atPath: path) }
            return nil
        }
    }

    deinit {
        unmount()
        if isOwnFolder { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Takes the file system away; its folder stays, empty.
    package func unmount() {
        let isFirst = isMounted.withLock { isMounted in
            defer { isMounted = false }
            return isMounted
        }
        if isFirst { _ = try? Self.run("umount", ["-l", path]) }
    }

    /// Bytes that can be written yet.
    package var free: Int {
        get throws {
            let attributes = try FileManager.default.attributesOfFileSystem(forPath: path)
            return (attributes[.systemFreeSize] as? NSNumber)?.intValue ?? 0
        }
    }

    /// A file that takes all room but `blocks` of 4 KiB, until `empty()`.
    package func fill(leaving blocks: Int) throws {
        let handle = try FileHandle(creating: filler)
        try handle.write(contentsOf: Data(count: max(0, free - blocks << 12)))
        try handle.close()
    }

    /// Gives back what `fill` took, at once: truncated before it is removed, because a child process that another test
    /// started meanwhile may hold the file open, and with it the room of a file that is removed only.
    package func empty() throws {
        try FileHandle(creating: filler).close()
        try FileManager.default.removeItem(atPath: filler)
    }

    package var filler: String { path + "/filler" }

    private static func run(_ program: String, _ arguments: [String]) throws -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/\(program)")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/\(program)") else { return false }
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
