import Foundation
import Glibc
import Synchronization

/// What the service manager listens on: the daemon says here when it is ready, reloading or stopping. A thread reads
/// all the time, as the manager does, because a full queue would block the daemon.
final class NotifySocket: Sendable {
    let path: String
    private let descriptor: Int32
    private let inbox = Inbox()
    private let isShut = Mutex(false)

    private final class Inbox: @unchecked Sendable {
        private let condition = NSCondition()
        /// Those that nobody has waited for yet, and all.
        private var messages: [String] = []
        private var all: [String] = []
        private var isEnded = false

        func add(_ message: String) {
            condition.lock()
            messages.append(message)
            all.append(message)
            condition.broadcast()
            condition.unlock()
        }

        /// No more messages come.
        func end() {
            condition.lock()
            isEnded = true
            condition.broadcast()
            condition.unlock()
        }

        /// Takes messages out until one contains `text`, and gives that; nil where none can come any more.
        func take(_ text: String) throws -> String? {
            try look(for: text) { () -> String? in
                while !messages.isEmpty {
                    let message = messages.removeFirst()
                    if message.contains(text) { return message }
                }
                return nil
            }
        }

        /// All that ever came, once no more can come.
        func everything() throws -> [String] {
            _ = try look(for: "its last word") { () -> String? in nil }
            condition.lock()
            defer { condition.unlock() }
            return all
        }

        /// What `found` gives, which is asked at the start, after each message, and when the time is over; nil at the
        /// end.
        private func look(for what: String, _ found: () -> String?) throws -> String? {
            let end = ContinuousClock.now + .ample
            condition.lock()
            defer { condition.unlock() }
            while true {
                let left = ContinuousClock.now.duration(to: end)
                if let message = found() { return message }
                if isEnded { return nil }
                guard left > .zero else { throw ChangeWatch.TooLate(description: "the daemon never said \(what)") }
                // The clock on the wall wakes; the monotonic one says whether it is late.
                _ = condition.wait(until: Date(timeIntervalSinceNow: left / Duration.seconds(1)))
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
            inbox.end()
            close(descriptor)
        }
    }

    deinit {
        shut()
        unlink(path)
    }

    /// Nothing more comes than what waits to be read; once, because the thread closes the descriptor then.
    private func shut() {
        isShut.withLock { isShut in
            guard !isShut else { return }
            isShut = true
            shutdown(descriptor, Int32(SHUT_RD))
        }
    }

    /// Nobody waits in vain for what a process says that has ended; what it said before is still heard.
    func end(with process: pid_t) {
        guard let watched = Await.descriptor(of: process) else { return }
        Thread.detachNewThread { [self] in
            while !Await.isReadable(watched, until: ContinuousClock.now + .ample) {}
            close(watched)
            shut()
        }
    }

    /// The first message that contains `text`, of those that nobody has waited for yet.
    @discardableResult
    func wait(for text: String) throws -> String {
        guard let message = try inbox.take(text) else {
            throw ChildProcess.Failure(description: "the daemon ended without \(text)")
        }
        return message
    }

    /// Whether a message that nobody has waited for yet contains `text`; false where the process has ended without.
    func hears(_ text: String) throws -> Bool { try inbox.take(text) != nil }

    /// All that was said, waited for or not, once the process has ended.
    func everything() throws -> [String] { try inbox.everything() }
}
