import FlyingSocks
import Foundation
import Glibc

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

    let port: UInt16
    private let task: Task<Void, any Error>

    /// Listens when it returns.
    init(_ answer: @escaping @Sendable (Request) async -> Answer) async throws {
        let listener = try Socket(domain: AF_INET, type: .stream)
        try listener.bind(to: sockaddr_in.inet(ip4: "127.0.0.1", port: 0))
        guard case .ip4(_, let port) = try listener.sockname() else { throw POSIXError(.EADDRNOTAVAIL) }
        self.port = port
        try listener.listen()
        let pool: some AsyncSocketPool = .make()
        try await pool.prepare()
        let socket = try AsyncSocket(socket: listener, pool: pool)
        task = Task {
            defer { try? listener.close() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await pool.run() }
                group.addTask {
                    try await withThrowingDiscardingTaskGroup { group in
                        while true {
                            let connection = try await socket.accept()
                            group.addTask { try? await Self.serve(connection, answer) }
                        }
                    }
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
    }

    func stop() async {
        task.cancel()
        _ = try? await task.value
    }

    private static func serve(
        _ connection: AsyncSocket, _ answer: @Sendable (Request) async -> Answer
    ) async throws {
        defer { try? connection.close() }
        var received = Data()
        while true {
            received += try await connection.read(atMost: 4096)
            guard let end = received.firstRange(of: Data("\r\n\r\n".utf8)) else { continue }
            let lines = String(decoding: received[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
            var headers: [String: String] = [:]
            for line in lines.dropFirst() {
                let pair = line.split(separator: ":", maxSplits: 1)
                headers[pair[0].lowercased()] = pair[1].trimmingCharacters(in: .whitespaces)
            }
            let body = received[end.upperBound...]
            guard body.count >= headers["content-length"].flatMap({ Int($0) }) ?? 0 else { continue }
            let words = lines[0].split(separator: " ").map(String.init)
            let said = await answer(
                Request(method: words[0], path: words[1], headers: headers, body: Data(body)))
            let plain =
                "HTTP/1.1 \(said.status) Status\r\nContent-Length: \(said.body.utf8.count)\r\n\r\n\(said.body)"
            try await connection.write(Data((said.raw ?? plain).utf8))
            return
        }
    }
}
