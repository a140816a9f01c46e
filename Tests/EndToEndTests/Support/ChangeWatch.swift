import Foundation
import Glibc

/// Wakes at every change in some directories (inotify), so that a test waits for what it is about and for no time.
final class ChangeWatch {
    struct TooLate: Error, CustomStringConvertible {
        var description: String
    }

    private let descriptor: Int32

    init(_ directories: [String]) throws {
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { throw POSIXError(.EMFILE) }
        let events = UInt32(IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_CLOSE_WRITE)
        for directory in directories {
            guard inotify_add_watch(descriptor, directory, events) >= 0 else { throw POSIXError(.ENOENT) }
        }
    }

    deinit { close(descriptor) }

    /// Returns when `condition` holds; it is asked at the start and after each change.
    func wait(for what: String, seconds: Double = 90, until condition: () throws -> Bool) throws {
        let deadline = Date().addingTimeInterval(seconds)
        while try !condition() {
            guard Await.isReadable(descriptor, until: deadline) else {
                throw TooLate(description: "never came: \(what)")
            }
            drain()
        }
    }

    /// Returns after `count` changes, or false where none came for `silence` seconds.
    func waitForChanges(_ count: Int, silence: Double) -> Bool {
        var seen = 0
        while seen < count {
            guard Await.isReadable(descriptor, until: Date().addingTimeInterval(silence)) else { return false }
            seen += drain(limit: 4096)
        }
        return true
    }

    /// Reads what waits and gives the number of events.
    @discardableResult
    private func drain(limit: Int = 1 << 16) -> Int {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        var (offset, events) = (0, 0)
        while offset + 16 <= count {
            let length = buffer.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self) }
            offset += 16 + Int(length)
            events += 1
        }
        return events
    }
}
