internal import FlyingSocks
package import Foundation
internal import WorkerProtocol

/// The operator's end of the control socket: one HTTP/1.1 request over a Unix socket per call.
package struct ControlClient: Sendable {
    package static let defaultSocket = "/run/supermerge/control.sock"
    /// Bytes that an answer may have.
    static let limit = 256 << 20

    package var socket: String
    /// Seconds that a daemon on a machine under load may take to be reached.
    package var connecting = 30.0

    package init(socket: String) { self.socket = socket }

    /// Sends a request without a body and gives the body of the answer. Waits as long as the daemon takes.
    /// `accepting`: an answer with this status is one, too.
    package func send(
        _ method: String, _ path: String, accepting: Int? = nil
    ) async throws(ControlError) -> Data {
        let reply = try await exchange("\(method) \(path) HTTP/1.1\r\nHost: supermerge\r\nConnection: close\r\n\r\n")
        guard (200..<300).contains(reply.status) || reply.status == accepting else {
            let message = (try? JSON.decode(ActionReply.self, from: reply.body))?.message
            throw .rejected(status: reply.status, message: message ?? "the daemon answered with status \(reply.status)")
        }
        return reply.body
    }

    private func exchange(_ request: String) async throws(ControlError) -> (status: Int, body: Data) {
        guard socket.utf8.count <= 103 else {
            throw .unreachable(socket: socket, reason: "the path is longer than the 103 bytes that a socket may have")
        }
        let connection: AsyncSocket
        do {
            connection = try await AsyncSocket.connected(to: .unix(path: socket), timeout: connecting)
        } catch {
            throw .unreachable(socket: socket, reason: "\(error)")
        }
        defer { try? connection.close() }
        var received = Data()
        do {
            try await connection.write(Data(request.utf8))
            while received.count < Self.limit {
                received += try await connection.read(atMost: 64 << 10)
                if let whole = HTTPReply(received) { return (whole.status, whole.body) }
            }
        } catch {
            if let whole = HTTPReply(received) { return (whole.status, whole.body) }
            throw .garbled("the connection ended after \(received.count) bytes")
        }
        throw .garbled("more than \(Self.limit) bytes")
    }
}
