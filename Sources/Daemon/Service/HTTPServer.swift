import Control
import Files
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle
import WorkerProtocol

/// HTTP/1.1 over a listening socket by NIO, one request for each connection.
struct HTTPServer: Sendable {
    typealias Listener = NIOAsyncChannel<Connection, Never>

    /// A connection that was taken and who is at its other end. It ends with its last reference, so that one which
    /// nobody comes to handle does not stay.
    final class Connection: Sendable {
        fileprivate let channel: any Channel
        fileprivate let caller: PeerCredentials?
        /// Fails where the client goes away, or speaks no HTTP.
        fileprivate let request: EventLoopFuture<ControlRequest>

        fileprivate init(_ channel: any Channel) throws {
            self.channel = channel
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(RequestLimit(maximumBytes: ControlRequest.maximumBytes))
            try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
            let promise = channel.eventLoop.makePromise(of: ControlRequest.self)
            request = promise.futureResult
            do {
                try pipeline.addHandler(RequestHead(promise))
                let user = try pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { PeerUser.of($0) }
                caller = PeerCredentials(user ?? nil)
            } catch {
                promise.fail(error)
                throw error
            }
        }

        deinit { channel.close(promise: nil) }
    }

    /// Bytes of an answer that are written at a time.
    private static let portion = 64 << 10
    /// Time that answers may still take once the daemon stops.
    private static let farewell = Duration.milliseconds(200)
    /// Connections that are answered at once; any other is answered with 503.
    static let most = 64
    /// Connections that are held at once, those included that get a 503; the rest waits in the listener's queue.
    static let mostHeld = 2 * most
    private static let busy = ControlAnswer(
        status: .unavailable,
        body: (try? JSON.encode(ActionReply(.failed, "\(most) commands are being answered; try again later")))
            ?? Data("{}".utf8))

    let logger: Logger
    let answer: @Sendable (ControlRequest) async -> ControlAnswer
    /// Time that the head of a request may take to arrive, and each portion of the answer to be read.
    var patience = standardPatience
    static let standardPatience = Duration.seconds(10)
    /// The connections that are held.
    let open = OpenConnections()

    init(logger: Logger, answer: @escaping @Sendable (ControlRequest) async -> ControlAnswer) {
        self.logger = logger
        self.answer = answer
    }

    /// Listens on `descriptor`, a bound socket, which it owns from then on.
    static func listen(on descriptor: Int32) async throws -> Listener {
        try await bootstrap.bind(descriptor, serverBackPressureStrategy: oneAtATime, childChannelInitializer: accept)
    }

    static func listen(host: String, port: UInt16) async throws -> Listener {
        try await bootstrap.serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: host, port: Int(port), serverBackPressureStrategy: oneAtATime, childChannelInitializer: accept)
    }

    /// A connection that can't be taken (too many open files) is tried again after a pause, which is NIO's.
    private static var bootstrap: ServerBootstrap {
        ServerBootstrap(group: ControlEventLoop.group)
            .serverChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
    }

    private static var oneAtATime: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark {
        .init(lowWatermark: 1, highWatermark: 1)
    }

    @Sendable private static func accept(_ channel: any Channel) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture { try Connection(channel) }
    }

    /// Runs until the daemon stops or the task is cancelled; closes the listener and the connections.
    func serve(_ listener: Listener) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await accept(from: listener) }
            group.addTask {
                try? await gracefulShutdown()
                try? await Task.sleep(for: Self.farewell)
            }
            defer { group.cancelAll() }
            _ = try await group.next()
        }
    }

    private func accept(from listener: Listener) async throws {
        try await listener.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                var next = connections.makeAsyncIterator()
                await open.waitForPlace(atMost: Self.mostHeld)
                while let connection = try await next.next() {
                    let isWelcome = open.add() <= Self.most
                    group.addTask {
                        defer { open.remove() }
                        await handle(connection, isWelcome: isWelcome)
                    }
                    await open.waitForPlace(atMost: Self.mostHeld)
                }
            }
        }
    }

    private func handle(_ connection: Connection, isWelcome: Bool) async {
        // A client that goes away, or that speaks no HTTP, is its own affair.
        try? await respond(to: connection, isWelcome: isWelcome)
        try? await connection.channel.close()
    }

    private func respond(to connection: Connection, isWelcome: Bool) async throws {
        let channel = connection.channel
        let request = try await within(patience, channel) { try await connection.request.get() }
        let answer =
            isWelcome
            ? await PeerCredentials.$current.withValue(connection.caller) { await self.answer(request) } : Self.busy
        try await write(.head(answer.head), to: channel)
        var rest = answer.body[...]
        while !rest.isEmpty {
            let portion = rest.prefix(Self.portion)
            try await write(.body(.byteBuffer(ByteBuffer(bytes: portion))), to: channel)
            rest = rest.dropFirst(portion.count)
        }
        try await write(.end(nil), to: channel)
    }

    /// Returns when the kernel has taken the part.
    private func write(_ part: HTTPServerResponsePart, to channel: any Channel) async throws {
        try await within(patience, channel) { try await channel.writeAndFlush(part).get() }
    }

    /// What `body` gives; where it takes longer than `limit`, or is cancelled, the connection is closed, which ends it.
    private func within<Value: Sendable>(
        _ limit: Duration, _ channel: any Channel, _ body: () async throws -> Value
    ) async throws -> Value {
        let deadline = channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { channel.close(promise: nil) }
        defer { deadline.cancel() }
        return try await withTaskCancellationHandler {
            try await body()
        } onCancel: {
            channel.close(promise: nil)
        }
    }
}
