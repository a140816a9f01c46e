import Control
import Files
import FlyingSocks
import Foundation
import Glibc
import Logging
import ServiceLifecycle
import Synchronization
import WorkerProtocol

/// The control socket: HTTP/1.1 with JSON bodies over a Unix socket that the service's group may use (mode 0660). One request
/// for each connection.
struct ControlServer: Service {
    /// Bytes that the head of a request may have, and the time that it may take to arrive.
    private static let longestHead = 16 << 10
    private static let headPatience = Duration.seconds(10)
    /// Time that answers may still take once the daemon stops.
    private static let farewell = Duration.milliseconds(200)
    /// Connections at once; whoever comes beyond is told so.
    static let mostConnections = 64
    /// Pause after a connection that could not be taken.
    private static let acceptPause = Duration.milliseconds(100)
    private static let busy = ControlAnswer(
        status: .unavailable,
        body: (try? JSON.encode(ActionReply(.failed, "\(mostConnections) commands are being answered; try again later")))
            ?? Data("{}".utf8))

    let path: String
    let reconciler: Reconciler
    let logger: Logger
    /// Takes the next connection; tests let it fail.
    var accepting: @Sendable (AsyncSocket) async throws -> AsyncSocket = { try await $0.accept() }

    func run() async throws {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try Durable.createDirectories(String(path[..<slash]))
        }
        try Self.clear(path)
        let pool: some AsyncSocketPool = .make()
        try await pool.prepare()
        let listener = try Socket(domain: AF_UNIX, type: .stream)
        defer { try? listener.close() }
        try listener.bind(to: .unix(path: path))
        defer { _ = unsafe unlink(path) }
        guard unsafe chmod(path, 0o660) == 0 else {
            throw DaemonFailure("the mode of \(path) can't be set; check who owns its directory")
        }
        try listener.listen()
        let socket = try AsyncSocket(socket: listener, pool: pool)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run() }
            group.addTask { try await accept(from: socket) }
            group.addTask {
                try? await gracefulShutdown()
                try? await Task.sleep(for: Self.farewell)
            }
            defer { group.cancelAll() }
            _ = try await group.next()
        }
    }

    /// Runs until it is cancelled: a connection that can't be taken (too many open files) is no reason to end.
    private func accept(from socket: AsyncSocket) async throws {
        let open = OpenConnections()
        try await withThrowingDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let connection: AsyncSocket
                do {
                    connection = try await accepting(socket)
                } catch {
                    try Task.checkCancellation()
                    logger.warning("a connection can't be taken", metadata: ["reason": "\(error)"])
                    try await Task.sleep(for: Self.acceptPause)
                    continue
                }
                let isWelcome = open.add() <= Self.mostConnections
                group.addTask {
                    defer {
                        try? connection.close()
                        open.remove()
                    }
                    try? await answer(connection, isWelcome: isWelcome)
                }
            }
        }
    }

    private func answer(_ connection: AsyncSocket, isWelcome: Bool) async throws {
        guard let request = try await head(of: connection) else { return }
        let answer = isWelcome ? await ControlRoutes(reconciler: reconciler).answer(request) : Self.busy
        try await connection.write(answer.bytes)
    }

    /// Nil where the head is too long or takes too long.
    private func head(of connection: AsyncSocket) async throws -> ControlRequest? {
        try await withThrowingTaskGroup(of: ControlRequest?.self) { group in
            group.addTask {
                var received: [UInt8] = []
                while received.count < Self.longestHead {
                    received += try await connection.read(atMost: 4096)
                    if let request = ControlRequest(received) { return request }
                }
                return nil
            }
            group.addTask {
                try await Task.sleep(for: Self.headPatience)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    /// Removes a socket that a killed daemon left; throws where a live one listens or something else stands there.
    static func clear(_ path: String) throws {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw DaemonFailure("\(path) is not a socket; move it away or choose another `socket`")
        }
        let probe = try Socket(domain: AF_UNIX, type: .stream)
        defer { try? probe.close() }
        if (try? probe.connect(to: .unix(path: path))) != nil {
            throw DaemonFailure("another daemon listens on \(path); stop it or choose another `socket`")
        }
        guard unsafe unlink(path) == 0 else {
            throw DaemonFailure("the stale socket \(path) can't be removed; remove it by hand")
        }
    }
}

/// Counts connections.
private final class OpenConnections: Sendable {
    private let count = Mutex(0)

    /// The count with the new one.
    func add() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }

    func remove() { count.withLock { $0 -= 1 } }
}

/// Why the daemon can't run, for people.
package struct DaemonFailure: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
