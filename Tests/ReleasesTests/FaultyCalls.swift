import Files
import Glibc
import Synchronization

/// Writes and fsyncs of which one behaves badly, as the system may.
final class FaultyCalls: Sendable {
    enum Fault: String, CaseIterable, Sendable, CustomStringConvertible {
        case shortWrite = "short-write"
        case shortThenFull = "short-then-full"
        case interrupted
        case lostOnSync = "failed-fsync"

        var description: String { rawValue }

        /// Whether the operation has to succeed all the same.
        var isHarmless: Bool { self == .shortWrite || self == .interrupted }

        var words: String {
            switch self {
            case .shortWrite: "a write takes only its first byte"
            case .shortThenFull: "a write takes its first byte, and the disk is full"
            case .interrupted: "a write is interrupted (EINTR)"
            case .lostOnSync: "an fsync fails with EIO"
            }
        }
    }

    private let fault: Fault
    private let step: Int
    private let seen = Mutex(0)

    init(_ fault: Fault, at step: Int) { (self.fault, self.step) = (fault, step) }

    /// Calls of the kind that the fault concerns.
    var count: Int { seen.withLock(\.self) }

    /// Counts a call and gives its number.
    private func next() -> Int {
        seen.withLock { seen in
            seen += 1
            return seen
        }
    }

    var calls: FileCalls {
        var calls = FileCalls()
        let real = FileCalls()
        calls.write = { [self] descriptor, bytes in
            guard fault != .lostOnSync else { return real.write(descriptor, bytes) }
            let number = next()
            switch fault {
            case .shortWrite where number == step, .shortThenFull where number == step:
                return real.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes.prefix(1)))
            case .shortThenFull where number == step + 1:
                errno = ENOSPC
                return -1
            case .interrupted where number == step:
                errno = EINTR
                return -1
            default: return real.write(descriptor, bytes)
            }
        }
        calls.sync = { [self] descriptor in
            guard fault == .lostOnSync, next() == step else { return real.sync(descriptor) }
            errno = EIO
            return -1
        }
        return calls
    }
}
