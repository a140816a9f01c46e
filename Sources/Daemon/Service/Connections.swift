import Control
import FlyingSocks
import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import WorkerProtocol

/// HTTP/1.1 over a listening socket, one request for each connection.
struct Connections: Sendable {
    /// Bytes that the head of a request may have, and the time that it may take to arrive.
    private static let longestHead = 16 << 10
    private static let headPatience = Duration.seconds(10)
    /// Time that answers may still take once the daemon stops.
    private static let farewell = Duration.milliseconds(200)
    /// Connections at once; whoever comes beyond is told so.
    static let most = 64
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
        guard let request = try await head(of: connection) else { return }
        let answer = isWelcome ? await self.answer(request) : Self.busy
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
}

/// Counts what is open.
final class OpenConnections: Sendable {
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
