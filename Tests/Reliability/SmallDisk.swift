import Foundation
import Synchronization

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

    /// A file that takes all room but `blocks` of 4 KiB; gives its path.
    package func fill(leaving blocks: Int) throws -> String {
        let file = path + "/filler"
        _ = FileManager.default.createFile(atPath: file, contents: nil)
        let handle = try FileHandle(forWritingTo: URL(filePath: file))
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: path)
        let free = (attributes[.systemFreeSize] as? NSNumber)?.intValue ?? 0
        try handle.write(contentsOf: Data(count: max(0, free - blocks << 12)))
        try handle.close()
        return file
    }

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
