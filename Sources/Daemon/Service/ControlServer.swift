import Control
import Files
import FlyingSocks
import Foundation
import Glibc
import ServiceLifecycle

/// The control socket: HTTP/1.1 with JSON bodies over a Unix socket that the service's group may use (mode 0660). One request
/// for each connection.
struct ControlServer: Service {
    /// Bytes that the head of a request may have, and the time that it may take to arrive.
    private static let longestHead = 16 << 10
    private static let headPatience = Duration.seconds(10)
    /// Time that answers may still take once the daemon stops.
    private static let farewell = Duration.milliseconds(200)

    let path: String
    let reconciler: Reconciler

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

    private func accept(from socket: AsyncSocket) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for try await connection in socket.sockets {
                group.addTask {
                    defer { try? connection.close() }
                    try? await answer(connection)
                }
            }
        }
        throw DaemonFailure("the control socket \(path) was closed")
    }

    private func answer(_ connection: AsyncSocket) async throws {
        guard let request = try await head(of: connection) else { return }
        try await connection.write(ControlRoutes(reconciler: reconciler).answer(request).bytes)
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

/// Why the daemon can't run, for people.
package struct DaemonFailure: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
