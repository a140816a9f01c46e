import DiskReplay
import Foundation
import Reliability

/// A disk all of whose writes the kernel logs on a second one (dm-log-writes).
struct LoggedDisk {
    static let name = "power"
    let log: String
    /// The kernel's own name of the guest's only mapped disk: there is no udev to give it another.
    let device = "/dev/dm-0"

    /// Takes the first `size` bytes of `disk`, where no file system is to be found any more; the log begins anew.
    init(_ disk: String, log: String, size: Int) throws {
        self.log = log
        let file = try FileHandle(forWritingTo: URL(filePath: disk))
        try file.write(contentsOf: Data(count: 1 << 20))
        try file.synchronize()
        try file.close()
        let table = "0 \(size / 512) log-writes \(disk) \(log)"
        try PlainProgram.run(["dmsetup", "create", "--noudevsync", Self.name, "--table", table])
    }

    func mark(_ name: String) throws {
        try PlainProgram.run(["dmsetup", "message", Self.name, "0", "mark", name])
    }

    /// Takes the disk away, by which the rest of the log gets onto its own.
    func end() throws -> WriteLog {
        try PlainProgram.run(["dmsetup", "remove", "--noudevsync", Self.name])
        return try WriteLog(path: log)
    }
}
