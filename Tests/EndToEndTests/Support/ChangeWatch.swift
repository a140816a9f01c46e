import Foundation
import Glibc

/// Wakes at every change in some directories (inotify), so that a test waits for what it is about and for no time.
final class ChangeWatch {
    struct TooLate: Error, CustomStringConvertible {
        var description: String
    }

    /// Looks that a silence is made of.
    private static let looks = 30
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

    /// Returns when `condition` holds; it is asked at the start, after each change, and when the time is over.
    func wait(for what: String, within limit: Duration = .ample, until condition: () throws -> Bool) throws {
        let end = ContinuousClock.now + limit
        while true {
            let isLate = ContinuousClock.now >= end
            if try condition() { return }
            guard !isLate else { throw TooLate(description: "never came: \(what)") }
            if Await.isReadable(descriptor, until: end) { drain() }
        }
    }

    /// Returns after `count` changes, or false where none came for as long as `silence`. That is counted in short
    /// looks: a moment in which everything stood still is one of them.
    func waitForChanges(_ count: Int, silence: Duration) -> Bool {
        var (seen, quiet) = (0, 0)
        while seen < count, quiet < Self.looks {
            if Await.isReadable(descriptor, until: ContinuousClock.now + silence / Self.looks) {
                seen += drain(limit: 4096)
                quiet = 0
            } else {
                quiet += 1
            }
        }
        return seen >= count
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
