import Foundation
import Glibc
import Synchronization

/// A stand-in for Prometheus on a loopback port: it answers every query with one sample of the value that a test sets,
/// until `stop` or the end of the process.
final class QueryServer: Sendable {
    private let state = Mutex<(value: String, queries: [String])>(("1", []))
    private let listener: Int32
    let port: UInt16

    /// Listens on `port`, or on one that is free.
    init(port: UInt16 = 0) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw ChildProcess.Failure(description: "no loopback port: \(errno)") }
        listener = descriptor
        self.port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in serve() }
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// The targets that were asked for.
    var queries: [String] { state.withLock { $0.queries } }

    func set(_ value: String) { state.withLock { $0.value = value } }

    /// No connection is taken any more.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            answer(connection)
            close(connection)
        }
    }

    private func answer(_ connection: Int32) {
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        let count = read(connection, &bytes, bytes.count)
        guard count > 0 else { return }
        let request = String(decoding: bytes.prefix(count), as: UTF8.self)
        let value = state.withLock { state in
            state.queries.append(request.split(separator: " ").dropFirst().first.map(String.init) ?? "")
            return state.value
        }
        let body =
            #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"\#(value)"]}]}}"#
        let text = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
        _ = text.withCString { write(connection, $0, strlen($0)) }
    }
}
