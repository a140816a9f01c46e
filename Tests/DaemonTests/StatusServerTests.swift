import Control
import Foundation
import Glibc
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing
import WorkerProtocol

@testable import Daemon

/// The part of the control socket that may be read over TCP.
@Suite(.timeLimit(.minutes(20)))
struct StatusServerTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func withServer(_ body: (DaemonStand, StatusServer) async throws -> Void) async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            let port = try await Self.freePort()
            let address = try #require(LoopbackAddress("127.0.0.1:\(port)"))
            try await body(
                stand,
                StatusServer(
                    address: address, routes: ControlRoutes(reconciler: daemon, deployment: "main"), logger: logger))
        }
    }

    private func answer(_ server: StatusServer, _ method: String, _ path: String, host: String = "127.0.0.1")
        async throws
        -> ControlAnswer
    {
        let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: method), uri: path, headers: ["Host": host])
        return await server.answer(ControlRequest(head))
    }

    @Test func itCanBeReadAndNothingElse() async throws {
        try await withServer { stand, server in
            for path in [
                "/", "/dashboard.css", "/dashboard.js", "/health", "/metrics", "/status", "/timeline", "/history",
                "/history?last=999999999", "/releases/1", "/releases/1/report.html", "/watch",
            ] {
                #expect(try await answer(server, "GET", path).status == .ok, "\(path)")
            }
            let entries = try await server.routes.reconciler.history(last: nil).count
            for (method, path) in [
                ("POST", "/pause"), ("POST", "/rollback/1"), ("POST", "/rescan"), ("GET", "/plan"),
                ("POST", "/"), ("DELETE", "/releases/1"), ("POST", "/status"), ("GET", "/current"),
            ] { #expect(try await answer(server, method, path).status == .forbidden, "\(method) \(path)") }
            #expect(try await server.routes.reconciler.history(last: nil).count == entries)
        }
    }

    @Test(arguments: ["evil.example", "evil.example:9464", "", "127.0.0.1.evil.example", "192.168.0.1", "[::2]:9464"])
    func aNameThatPointsHereIsNotEnough(host: String) async throws {
        try await withServer { _, server in
            let answer = try await answer(server, "GET", "/status", host: host)
            #expect(answer.status == .forbidden)
        }
    }

    @Test(arguments: ["localhost", "localhost:9464", "127.0.0.1:9464", "[::1]:9464", "127.1.2.3"])
    func thisMachineIsAnswered(host: String) async throws {
        try await withServer { _, server in
            let answer = try await answer(server, "GET", "/health", host: host)
            #expect(answer.status == .ok)
        }
    }

    @Test func prometheusCanScrapeThePort() async throws {
        try await withServer { _, server in
            let task = Task { try await server.run() }
            let request = "GET /metrics HTTP/1.1\r\nHost: localhost:\(server.address.port)\r\n\r\n"
            var answer = ""
            while answer.isEmpty {
                guard let bytes = try? await Self.exchange(request, port: server.address.port) else {
                    try await turn()
                    continue
                }
                answer = String(buffer: bytes)
            }
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
            #expect(answer.contains("\nsupermerge_release_version{deployment=\"main\"} 1\n"))
            task.cancel()
            _ = try? await task.value
        }
    }

    @Test func theMetricsFileIsReadableByAllAndWhole() async throws {
        try await withServer { stand, server in
            let path = stand.folder + "/supermerge.prom"
            let service = TextfileService(
                path: path, deployment: "main", reconciler: server.routes.reconciler, logger: logger)
            try await service.write()
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.contains("supermerge_release_version{deployment=\"main\"} 1\n") && text.hasSuffix("\n"))
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o644)
        }
    }

    @Test func onlyLoopbackAddressesAreTaken() {
        for text in ["127.0.0.1:9464", "127.9.9.9:1", "localhost:65535", "[::1]:9464"] {
            #expect(LoopbackAddress(text) != nil, "\(text)")
        }
        #expect(LoopbackAddress("[::1]:9464")?.description == "[::1]:9464")
        for text in [
            "", ":9464", "9464", "0.0.0.0:9464", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.256:1",
            "127.0.0.01:1", "127.0.0.1.example:1", "[::]:9464", "::1:9464", "192.168.0.1:9464", "example:80",
        ] { #expect(LoopbackAddress(text) == nil, "\(text)") }
        let faults = (try? Configuration.parse("status: {listen: '0.0.0.0:9464'}", file: "f")) == nil
        #expect(faults)
    }

    /// All bytes that a server answers until it closes.
    private static func exchange(_ request: String, port: UInt16) async throws -> ByteBuffer {
        let connection = try await ClientBootstrap(group: ControlEventLoop.group)
            .connect(host: "127.0.0.1", port: Int(port)) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await connection.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: request))
            var all = ByteBuffer()
            for try await bytes in inbound { all.writeImmutableBuffer(bytes) }
            return all
        }
    }

    /// A port that nobody listened on a moment ago.
    private static func freePort() async throws -> UInt16 {
        let listener = try await ServerBootstrap(group: ControlEventLoop.group).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        try await listener.close()
        return UInt16(port)
    }
}
