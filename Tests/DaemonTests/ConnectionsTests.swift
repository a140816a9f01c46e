import Control
import FlyingSocks
import Foundation
import Glibc
import Logging
import Synchronization
import Testing

@testable import Daemon

/// Clients that mean no good, or that have stopped.
@Suite(.timeLimit(.minutes(20)))
struct ConnectionsTests {
    private func serve(
        _ connections: Connections, _ body: (_ path: String) async throws -> Void
    ) async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "c-\(UUID().uuidString.prefix(8))").path
        let pool: some AsyncSocketPool = .make()
        try await pool.prepare()
        let listener = try Socket(domain: AF_UNIX, type: .stream)
        defer {
            try? listener.close()
            unlink(path)
        }
        try listener.bind(to: .unix(path: path))
        try listener.listen()
        let socket = try AsyncSocket(socket: listener, pool: pool)
        let task = Task { try await connections.serve(socket, pool) }
        try await body(path)
        task.cancel()
        _ = try? await task.value
    }

    private func connect(_ path: String) throws -> Socket {
        let socket = try Socket(domain: AF_UNIX, type: .stream)
        try socket.connect(to: .unix(path: path))
        return socket
    }

    private func isHungUp(_ socket: Socket) -> Bool {
        var entry = pollfd(fd: socket.file.rawValue, events: 0, revents: 0)
        return poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLHUP) != 0
    }

    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// An answer larger than what the kernel holds for a reader who never comes.
    @Test func aClientThatNeverReadsIsLetGo() async throws {
        let body = Data(repeating: 0x20, count: 8 << 20)
        var connections = Connections(logger: quiet) { _ in ControlAnswer(status: .ok, body: body) }
        connections.patience = .milliseconds(50)
        try await serve(connections) { path in
            let client = try connect(path)
            _ = try client.write(Data("GET /history HTTP/1.1\r\n\r\n".utf8))
            while !isHungUp(client) { try await turn() }
            try client.close()
        }
    }

    @Test func aClientThatSaysNothingIsLetGo() async throws {
        var connections = Connections(logger: quiet) { _ in ControlAnswer(status: .ok, body: Data()) }
        connections.patience = .milliseconds(50)
        try await serve(connections) { path in
            let client = try connect(path)
            while !isHungUp(client) { try await turn() }
            try client.close()
        }
    }

    /// Beyond the connections that are answered only so many are kept to be told so; the rest waits in the listener's
    /// queue.
    @Test func connectionsOverTheLimitAreNotKeptWithoutEnd() async throws {
        let taken = Mutex(0)
        var connections = Connections(
            logger: quiet,
            accepting: { socket in
                let connection = try await socket.accept()
                taken.withLock { $0 += 1 }
                return connection
            }, answer: { _ in ControlAnswer(status: .ok, body: Data()) })
        connections.patience = .endless
        try await serve(connections) { path in
            var clients = try (0..<Connections.mostHeld + 40).map { _ in try connect(path) }
            while taken.withLock({ $0 }) < Connections.mostHeld { try await turn() }
            for client in clients.prefix(10) { try client.close() }
            clients.removeFirst(10)
            while taken.withLock({ $0 }) < Connections.mostHeld + 10 { try await turn() }
            for _ in 0..<100 { try await turn() }
            #expect(taken.withLock { $0 } == Connections.mostHeld + 10)
            for client in clients { try client.close() }
        }
    }

    @Test func theCallerIsKnownByTheKernel() async throws {
        let seen = Mutex<UInt32?>(nil)
        var connections = Connections(logger: quiet) { _ in
            seen.withLock { $0 = PeerCredentials.current?.user }
            return ControlAnswer(status: .ok, body: Data("{}".utf8))
        }
        connections.patience = .endless
        try await serve(connections) { path in
            _ = try await ControlClient(patient: path).send("GET", "/status")
            #expect(seen.withLock { $0 } == geteuid())
        }
    }
}
