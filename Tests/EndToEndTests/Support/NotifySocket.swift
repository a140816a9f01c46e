import Foundation
import Glibc

/// What the service manager listens on: the daemon says here when it is ready, reloading or stopping. A thread reads all the
/// time, as the manager does, because a full queue would block the daemon.
final class NotifySocket: Sendable {
    let path: String
    private let descriptor: Int32
    private let inbox = Inbox()

    /// The messages that nobody has waited for yet.
    private final class Inbox: @unchecked Sendable {
        private let condition = NSCondition()
        private var messages: [String] = []

        func add(_ message: String) {
            condition.lock()
            messages.append(message)
            condition.broadcast()
            condition.unlock()
        }

        /// Takes messages out until one contains `text`.
        func take(_ text: String, until deadline: Date) -> Bool {
            condition.lock()
            defer { condition.unlock() }
            while true {
                while !messages.isEmpty {
                    if messages.removeFirst().contains(text) { return true }
                }
                guard condition.wait(until: deadline) else { return false }
            }
        }
    }

    init(path: String) throws {
        self.path = path
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard result == 0 else { throw POSIXError(.EADDRINUSE) }
        Thread.detachNewThread { [inbox] in
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                inbox.add(String(decoding: buffer[..<count], as: UTF8.self))
            }
            close(descriptor)
        }
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RD))
        unlink(path)
    }

    /// Returns when a message that has not been waited for yet contains `text`.
    func wait(for text: String, seconds: Double = 60) throws {
        guard inbox.take(text, until: Date().addingTimeInterval(seconds)) else {
            throw ChangeWatch.TooLate(description: "the daemon never said \(text)")
        }
    }
}
