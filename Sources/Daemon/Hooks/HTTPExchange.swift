import Dispatch
import FlyingSocks
import Foundation
import Glibc

/// One HTTP/1.1 request over a connection of its own. Cancelling the task closes it; there is no other time limit.
enum HTTPExchange {
    /// Bytes that an answer may have.
    private static let longestAnswer = 4 << 20
    /// Names are looked up here: a resolver that hangs must not hold up anything else.
    private static let resolving = DispatchQueue(label: "supermerged.resolving", attributes: .concurrent)

    static func send(
        _ method: String, _ target: String, to address: HTTPAddress, headers: [String: String], body: Data?
    ) async throws -> HTTPAnswer {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: \(address.authority)\r\nConnection: close\r\n"
        var fields = ["Accept": "application/json", "User-Agent": "supermerged"]
        if body != nil { fields["Content-Type"] = "application/json" }
        fields.merge(headers) { _, new in new }
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) { head += "\(name): \(value)\r\n" }
        if body != nil || method != "GET" { head += "Content-Length: \(body?.count ?? 0)\r\n" }
        let request = Data((head + "\r\n").utf8) + (body ?? Data())
        let pool: some AsyncSocketPool = .make()
        try await pool.prepare()
        return try await withThrowingTaskGroup(of: HTTPAnswer?.self) { group in
            group.addTask {
                try await pool.run()
                return nil
            }
            group.addTask {
                let connection = try await connect(to: address, pool)
                defer { try? connection.close() }
                try await connection.write(request)
                return try await answer(on: connection)
            }
            defer { group.cancelAll() }
            while let answer = try await group.next() { if let answer { return answer } }
            throw HookFailure("the connection could not be served")
        }
    }

    private static func connect(to address: HTTPAddress, _ pool: some AsyncSocketPool) async throws -> AsyncSocket {
        if let path = address.socket {
            return try await open(AF_UNIX, .unix(path: path), pool)
        }
        var reason: any Error = HookFailure("\(address.host) has no address")
        for place in try await lookUp(address.host, address.port) {
            do {
                // Not as it is: the library's own conformance of sockaddr_storage asks itself for its size without end.
                if Int32(place.ss_family) == AF_INET6 {
                    return try await open(AF_INET6, sockaddr_in6.make(from: place), pool)
                }
                return try await open(AF_INET, sockaddr_in.make(from: place), pool)
            } catch {
                try Task.checkCancellation()
                reason = error
            }
        }
        throw reason
    }

    private static func open(
        _ family: Int32, _ place: some SocketAddress, _ pool: some AsyncSocketPool
    ) async throws -> AsyncSocket {
        let socket = try Socket(domain: family, type: .stream)
        do {
            let connection = try AsyncSocket(socket: socket, pool: pool)
            try await connection.connect(to: place)
            return connection
        } catch {
            try? socket.close()
            throw error
        }
    }

    private static func answer(on connection: AsyncSocket) async throws -> HTTPAnswer {
        var received = Data()
        while received.count <= longestAnswer {
            do {
                received += try await connection.read(atMost: 4096)
            } catch SocketError.disconnected {
                if let answer = HTTPAnswer(received, isEnded: true) { return answer }
                throw HookFailure("the connection ended after \(received.count) bytes, before the answer was whole")
            }
            if let answer = HTTPAnswer(received, isEnded: false) { return answer }
        }
        throw HookFailure("the answer is longer than \(longestAnswer) bytes")
    }

    /// The addresses of a host, in the order in which they are to be tried.
    private static func lookUp(_ host: String, _ port: UInt16) async throws -> [sockaddr_storage] {
        try await withCheckedThrowingContinuation { continuation in
            resolving.async { continuation.resume(with: Result { try addresses(host, port) }) }
        }
    }

    private static func addresses(_ host: String, _ port: UInt16) throws -> [sockaddr_storage] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            throw HookFailure("\(host) can't be looked up: \(unsafe String(cString: gai_strerror(code)))")
        }
        defer { unsafe freeaddrinfo(list) }
        var found: [sockaddr_storage] = []
        var entry = unsafe list
        while let place = unsafe entry {
            var storage = sockaddr_storage()
            let size = min(Int(unsafe place.pointee.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
            if let source = unsafe place.pointee.ai_addr {
                unsafe withUnsafeMutableBytes(of: &storage) { bytes in
                    unsafe bytes.copyMemory(from: UnsafeRawBufferPointer(start: source, count: size))
                }
                found.append(storage)
            }
            unsafe entry = place.pointee.ai_next
        }
        return found
    }
}
