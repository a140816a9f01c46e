package import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import WorkerProtocol

/// The operator's end of the control socket: one HTTP/1.1 request over a Unix socket per call.
package struct ControlClient: Sendable {
    package static let defaultSocket = "/run/supermerge/control.sock"
    /// Maximum bytes of an answer's body.
    static let limit = 256 << 20

    private static let queuePause = Duration.milliseconds(20)

    private typealias Exchange = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    package var socket: String
    /// Seconds that a daemon on a machine under load may take to be reached.
    package var connecting = 30.0

    package init(socket: String) { self.socket = socket }

    /// Sends a request without a body and gives the body of the answer. Waits as long as the daemon takes.
    /// `accepting`: an answer with this status is one, too.
    package func send(
        _ method: String, _ path: String, accepting: Int? = nil
    ) async throws(ControlError) -> Data {
        let reply = try await exchange(HTTPMethod(rawValue: method), path)
        guard (200..<300).contains(reply.status) || reply.status == accepting else {
            let message = (try? JSON.decode(ActionReply.self, from: reply.body))?.message
            throw .rejected(status: reply.status, message: message ?? "the daemon answered with status \(reply.status)")
        }
        return reply.body
    }

    private func exchange(_ method: HTTPMethod, _ path: String) async throws(ControlError) -> (status: Int, body: Data)
    {
        let channel = try await connect()
        var head = HTTPRequestHead(
            version: .http1_1, method: method, uri: path, headers: ["Host": "supermerge", "Connection": "close"])
        if method == .POST { head.headers.add(name: "Content-Length", value: "0") }
        // In one write: the daemon answers once it has the head, and closes the connection.
        let request = [HTTPClientRequestPart.head(head), .end(nil)]
        var received = 0
        do {
            return try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(contentsOf: request)
                var (status, body) = (0, Data())
                for try await part in inbound {
                    switch part {
                    case .head(let head): status = Int(head.status.code)
                    case .body(let bytes):
                        received += bytes.readableBytes
                        guard received <= Self.limit else {
                            throw ControlError.garbled("more than \(Self.limit) bytes")
                        }
                        body += bytes.readableBytesView
                    case .end: return (status, body)
                    }
                }
                throw ControlError.garbled("the connection ended after \(received) bytes")
            }
        } catch let error as ControlError {
            throw error
        } catch {
            throw .garbled("the connection ended after \(received) bytes: \(error)")
        }
    }

    private func connect() async throws(ControlError) -> Exchange {
        guard socket.utf8.count <= 103 else {
            throw .unreachable(socket: socket, reason: "the path is longer than the 103 bytes that a socket may have")
        }
        let end = ContinuousClock.now + .seconds(connecting)
        while true {
            do {
                return try await attempt()
            } catch let error as IOError where error.errnoCode == EAGAIN && ContinuousClock.now < end {
                // The socket's queue is full; Linux has no event for its end.
                try? await Task.sleep(for: Self.queuePause)
            } catch {
                throw .unreachable(socket: socket, reason: "\(error)")
            }
        }
    }

    private func attempt() async throws -> Exchange {
        try await ClientBootstrap(group: ControlEventLoop.group)
            .connectTimeout(TimeAmount(.seconds(connecting)))
            .connect(unixDomainSocketPath: socket) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try Exchange(wrappingChannelSynchronously: channel)
                }
            }
    }
}
