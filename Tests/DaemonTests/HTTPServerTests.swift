import Control
import Files
import Foundation
import Glibc
import Logging
import NIOHTTP1
import Synchronization
import Testing

@testable import Daemon

/// Clients that mean no good, or that have stopped.
@Suite(.timeLimit(.minutes(20)))
struct HTTPServerTests {
    private func serve(_ server: HTTPServer, _ body: (_ path: String) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "c-\(UUID().uuidString.prefix(8))").path
        defer { unlink(path) }
        let listener = try await HTTPServer.listen(on: UnixSocket.bind(path, mode: 0o600))
        let task = Task { try await server.serve(listener) }
        try await body(path)
        task.cancel()
        _ = try? await task.value
    }

    private func isHungUp(_ descriptor: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLHUP) != 0
    }

    private func say(_ text: String, _ descriptor: Int32) {
        let bytes = Array(text.utf8)
        #expect(send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
    }

    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func server(_ body: Data = Data(), patience: Duration = .endless) -> HTTPServer {
        var server = HTTPServer(logger: quiet) { _ in ControlAnswer(status: .ok, body: body) }
        server.patience = patience
        return server
    }

    /// An answer larger than what the kernel holds for a reader who never comes.
    @Test func aClientThatNeverReadsIsLetGo() async throws {
        try await serve(server(Data(repeating: 0x20, count: 8 << 20), patience: .milliseconds(50))) { path in
            let client = try UnixSocket.connect(path)
            say("GET /history HTTP/1.1\r\n\r\n", client)
            while !isHungUp(client) { try await turn() }
            close(client)
        }
    }

    @Test(arguments: ["", "GET /status HTTP/1.1\r\nHost: x\r\n"])
    func aClientThatStopsSpeakingIsLetGo(said: String) async throws {
        try await serve(server(patience: .milliseconds(50))) { path in
            let client = try UnixSocket.connect(path)
            say(said, client)
            while !isHungUp(client) { try await turn() }
            close(client)
        }
    }

    @Test func aHeadWithoutEndIsCutOff() async throws {
        try await serve(server()) { path in
            let client = try UnixSocket.connect(path)
            say("GET /status HTTP/1.1\r\nA: " + String(repeating: "a", count: ControlRequest.maximumBytes), client)
            while !isHungUp(client) { try await turn() }
            close(client)
        }
    }

    /// As browsers do with connections that they open ahead.
    @Test func clientsThatHangUpAtOnceEndNobody() async throws {
        let server = server(Data("{}".utf8))
        try await serve(server) { path in
            for said in ["", "GET /sta", "GET /status HTTP/1.1\r\n\r\n"] {
                for taken in 1...20 {
                    let client = try UnixSocket.connect(path)
                    if !said.isEmpty { say(said, client) }
                    close(client)
                    while server.open.total % 20 < taken % 20 { try await turn() }
                }
            }
            let answer = try await ControlClient(patient: path).send("GET", "/status")
            #expect(answer == Data("{}".utf8))
        }
    }

    @Test func aLargeAnswerArrivesWhole() async throws {
        let body = Data((0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        try await serve(server(body)) { path in
            let answer = try await ControlClient(patient: path).send("GET", "/history")
            #expect(answer == body)
        }
    }

    /// Beyond the connections that are answered only so many are kept to be told so; the rest waits in the listener's
    /// queue.
    @Test func connectionsOverTheLimitAreNotKeptWithoutEnd() async throws {
        let server = server()
        try await serve(server) { path in
            var clients = try (0..<HTTPServer.mostHeld + 40).map { _ in try UnixSocket.connect(path) }
            while server.open.count < HTTPServer.mostHeld { try await turn() }
            for client in clients.prefix(10) { close(client) }
            clients.removeFirst(10)
            while server.open.total < HTTPServer.mostHeld + 10 { try await turn() }
            for _ in 0..<100 { try await turn() }
            #expect(server.open.total == HTTPServer.mostHeld + 10)
            #expect(server.open.count == HTTPServer.mostHeld)
            for client in clients { close(client) }
        }
    }

    /// A daemon answers once it has the head, and hangs up: what a client sent later would find no connection.
    @Test(arguments: ["GET", "POST"])
    func aClientSaysAllAtOnce(method: String) async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "c-\(UUID().uuidString.prefix(8))").path
        defer { unlink(path) }
        let listener = try UnixSocket.bind(path, mode: 0o600)
        #expect(listen(listener, 1) == 0)
        async let answer = ControlClient(patient: path).send(method, "/status")
        var entry = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        while poll(&entry, 1, 0) == 0 { try await turn() }
        let daemon = accept(listener, nil, nil)
        var heard = [UInt8](repeating: 0, count: 4096)
        var count = recv(daemon, &heard, heard.count, Int32(MSG_DONTWAIT))
        while count < 0 {
            try await turn()
            count = recv(daemon, &heard, heard.count, Int32(MSG_DONTWAIT))
        }
        let request = String(decoding: heard.prefix(count), as: UTF8.self).lowercased()
        #expect(request.hasSuffix("\r\n\r\n") && !request.contains("transfer-encoding"), "\(request)")
        #expect(request.contains("content-length: 0") == (method == "POST"))
        say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", daemon)
        close(daemon)
        let body = try await answer
        #expect(body == Data("{}".utf8))
        close(listener)
    }

    @Test func aClientWaitsWhileTheQueueIsFull() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "c-\(UUID().uuidString.prefix(8))").path
        defer { unlink(path) }
        let descriptor = try UnixSocket.bind(path, mode: 0o600)
        #expect(listen(descriptor, 0) == 0)
        let first = try UnixSocket.connect(path)
        var hasty = ControlClient(socket: path)
        hasty.connecting = 0
        await #expect(throws: ControlError.self) { try await hasty.send("GET", "/status") }
        async let answer = ControlClient(patient: path).send("GET", "/status")
        let server = server(Data("{}".utf8))
        let listener = try await HTTPServer.listen(on: descriptor)
        let task = Task { try await server.serve(listener) }
        let body = try await answer
        #expect(body == Data("{}".utf8))
        close(first)
        task.cancel()
        _ = try? await task.value
    }

    /// Without a free descriptor the listener waits; it does not end.
    @Test func aConnectionThatCantBeTakenEndsNobodyInOwnProcess() async {
        await #expect(processExitsWith: .success) {
            let server = HTTPServer(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) { _ in
                ControlAnswer(status: .ok, body: Data("{}".utf8))
            }
            let path = FileManager.default.temporaryDirectory.appending(path: "c-\(UUID().uuidString.prefix(8))").path
            defer { unlink(path) }
            let listener = try await HTTPServer.listen(on: UnixSocket.bind(path, mode: 0o600))
            let task = Task { try await server.serve(listener) }
            let client = try UnixSocket.connect(path)
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            var none = limit
            none.rlim_cur = 3
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &none)
            for _ in 0..<3 { try await ControlEventLoop.group.next().submit {}.get() }
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            _ = try await ControlClient(patient: path).send("GET", "/status")
            close(client)
            task.cancel()
            _ = try? await task.value
        }
    }

    @Test func theCallerIsKnownByTheKernel() async throws {
        let seen = Mutex<UInt32?>(nil)
        var server = HTTPServer(logger: quiet) { _ in
            seen.withLock { $0 = PeerCredentials.current?.user }
            return ControlAnswer(status: .ok, body: Data("{}".utf8))
        }
        server.patience = .endless
        try await serve(server) { path in
            _ = try await ControlClient(patient: path).send("GET", "/status")
            #expect(seen.withLock { $0 } == geteuid())
        }
    }

    /// Two Host headers are a way around the check of one.
    @Test(arguments: [(["localhost"], "localhost"), (["evil.example", "localhost"], ""), ([], "")])
    func oneHostIsTaken(hosts: [String], host: String) {
        let headers = HTTPHeaders(hosts.map { ("Host", $0) })
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/status", headers: headers)
        #expect(ControlRequest(head).host == host)
    }
}
