import Control
import Files
import FlyingSocks
import Foundation
import Logging
import ServiceLifecycle
import WorkerProtocol

/// HTTP/1.1 over a listening socket, one request for each connection.
struct Connections: Sendable {
    /// Bytes that the head of a request may have.
    private static let longestHead = 16 << 10
    /// Bytes of an answer that are written at a time.
    private static let portion = 64 << 10
    /// Time that answers may still take once the daemon stops.
    private static let farewell = Duration.milliseconds(200)
    /// Connections that are answered at once; whoever comes beyond is told so.
    static let most = 64
    /// Connections that are held at once, those included that are only told so; the rest waits to be taken.
    static let mostHeld = 2 * most
    /// Pause after a connection that could not be taken.
    private static let acceptPause = Duration.milliseconds(100)
    private static let busy = ControlAnswer(
        status: .unavailable,
        body: (try? JSON.encode(ActionReply(.failed, "\(most) commands are being answered; try again later")))
            ?? Data("{}".utf8))

    let logger: Logger
    /// Takes the next connection.
    let accepting: @Sendable (AsyncSocket) async throws -> AsyncSocket
    let answer: @Sendable (ControlRequest) async -> ControlAnswer
    /// Time that the head of a request may take to arrive, and each portion of the answer to be read.
    var patience = standardPatience
    static let standardPatience = Duration.seconds(10)

    init(
        logger: Logger,
        accepting: @escaping @Sendable (AsyncSocket) async throws -> AsyncSocket = { try await $0.accept() },
        answer: @escaping @Sendable (ControlRequest) async -> ControlAnswer
    ) {
        self.logger = logger
        self.accepting = accepting
        self.answer = answer
    }

    /// Runs until the daemon stops; `pool` waits for the sockets.
    func serve(_ socket: AsyncSocket, _ pool: some AsyncSocketPool) async throws {
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
                await open.waitForPlace(atMost: Self.mostHeld)
                let connection: AsyncSocket
                do {
                    connection = try await accepting(socket)
                } catch {
                    try Task.checkCancellation()
                    logger.warning("a connection can't be taken", metadata: ["reason": "\(error)"])
                    try await Task.sleep(for: Self.acceptPause)
                    continue
                }
                let isWelcome = open.add() <= Self.most
                group.addTask {
                    defer {
                        try? connection.close()
                        open.remove()
                    }
                    try? await handle(connection, isWelcome: isWelcome)
                }
            }
        }
    }

    private func handle(_ connection: AsyncSocket, isWelcome: Bool) async throws {
        guard let request = try await within(patience, { try await head(of: connection) }) ?? nil else { return }
        let caller = PeerCredentials(PeerUser.of(connection.socket.file.rawValue))
        let answer =
            isWelcome ? await PeerCredentials.$current.withValue(caller) { await self.answer(request) } : Self.busy
        var rest = answer.bytes
        while !rest.isEmpty {
            let portion = rest.prefix(Self.portion)
            guard try await within(patience, { try await connection.write(portion) }) != nil else { return }
            rest = rest.dropFirst(portion.count)
        }
    }

    /// Nil where the head is too long.
    private func head(of connection: AsyncSocket) async throws -> ControlRequest? {
        var received: [UInt8] = []
        while received.count < Self.longestHead {
            received += try await connection.read(atMost: 4096)
            if let request = ControlRequest(received) { return request }
        }
        return nil
    }

    /// What `body` gives; nil where it takes longer than `limit`.
    private func within<Value: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }
}
