import Control
import Foundation
import NIOCore
import NIOPosix

/// A server of HTTP/1.1 on a port of this machine; its answers are a test's.
final class ServerStandIn: Sendable {
    struct Request: Sendable {
        var method: String
        var path: String
        var headers: [String: String]
        var body: Data

        /// Members of the body's JSON.
        var object: [String: Any] { (try? JSONSerialization.jsonObject(with: body) as? [String: Any]) ?? [:] }
    }

    struct Answer: Sendable {
        var status = 200
        var body = ""
        /// Written as it is, in place of an answer.
        var raw: String?

        static func json(_ value: Any, status: Int = 200) -> Answer {
            let data = (try? JSONSerialization.data(withJSONObject: value)) ?? Data()
            return Answer(status: status, body: String(decoding: data, as: UTF8.self))
        }
    }

    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    let port: UInt16
    private let task: Task<Void, any Error>

    /// Listens when it returns.
    init(_ answer: @escaping @Sendable (Request) async -> Answer) async throws {
        let listener = try await ServerBootstrap(group: ControlEventLoop.group)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
        port = UInt16(listener.channel.localAddress?.port ?? 0)
        task = Task {
            try await listener.executeThenClose { connections in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await connection in connections {
                        group.addTask { try? await Self.serve(connection, answer) }
                    }
                }
            }
        }
    }

    func stop() async {
        task.cancel()
        _ = try? await task.value
    }

    private static func serve(
        _ connection: Connection, _ answer: @escaping @Sendable (Request) async -> Answer
    ) async throws {
        try await connection.executeThenClose { inbound, _ in
            var received = Data()
            for try await bytes in inbound {
                received += bytes.readableBytesView
                guard let request = request(received) else { continue }
                let said = await answer(request)
                let plain =
                    "HTTP/1.1 \(said.status) Status\r\nContent-Length: \(said.body.utf8.count)\r\n\r\n\(said.body)"
                try await connection.channel.writeAndFlush(ByteBuffer(string: said.raw ?? plain)).get()
                return
            }
        }
    }

    /// Nil while bytes are missing.
    private static func request(_ received: Data) -> Request? {
        guard let end = received.firstRange(of: Data("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: received[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let pair = line.split(separator: ":", maxSplits: 1)
            headers[pair[0].lowercased()] = pair[1].trimmingCharacters(in: .whitespaces)
        }
        let body = received[end.upperBound...]
        guard body.count >= headers["content-length"].flatMap({ Int($0) }) ?? 0 else { return nil }
        let words = lines[0].split(separator: " ").map(String.init)
        return Request(method: words[0], path: words[1], headers: headers, body: Data(body))
    }
}
