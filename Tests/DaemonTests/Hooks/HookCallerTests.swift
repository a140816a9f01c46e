import Foundation
import Synchronization
import Testing

@testable import Daemon

/// Real commands and real connections.
@Suite(.timeLimit(.minutes(20)))
struct HookCallerTests {
    private let caller = HookCaller()

    private func failure(_ call: HookCall) async -> String {
        do throws(HookFailure) {
            return "succeeded: " + (try await caller.call(call, Samples.values()))
        } catch {
            return error.description
        }
    }

    private func request(
        _ port: UInt16, _ path: String = "/", method: String = "GET", json: HookTemplate? = nil,
        contains: HookTemplate? = nil
    ) throws -> HookCall {
        .request(
            HookRequest(
                method: method, address: try HTTPAddress("http://localhost:\(port)\(path)"), json: json,
                contains: contains))
    }

    @Test func aCommandSeesTheReleaseAndNoShellSeesIt() async throws {
        let script =
            #"echo "$SUPERMERGE_HOOK $SUPERMERGE_RELEASE $SUPERMERGE_PATH $SUPERMERGE_CURRENT $1 ${NOTIFY_SOCKET-none}""#
        let said = try await caller.call(
            .command(["/bin/sh", "-c", script, "sh", "{release};$(id)"]), Samples.values())
        #expect(said == "/bin/sh succeeded: h 3 /srv/deploy/versions/3 /srv/deploy/current 3;$(id) none")
    }

    @Test func aCommandThatFailsIsQuoted() async {
        let said = await failure(.command(["/bin/sh", "-c", "echo first; echo no such model >&2; exit 7"]))
        #expect(said == "/bin/sh ended with status 7: no such model")
        #expect(await failure(.command(["/nonexistent"])).contains("/nonexistent"))
        #expect(await failure(.command(["/bin/sh", "-c", "kill -9 $$"])).contains("signal 9"))
    }

    @Test func whatACommandSaysIsBounded() async throws {
        let said = try await caller.call(
            .command(["/bin/sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end"]), Samples.values())
        #expect(said == "/bin/sh succeeded: end")
    }

    @Test func aCommandThatTakesTooLongIsEndedWithItsChildren() async throws {
        var hook = Hook("h", call: .command(["/bin/sh", "-c", "sleep 1000 & wait"]))
        (hook.timeout, hook.retries) = (.milliseconds(300), 0)
        let outcome = await HookRunner().run(hook, Samples.values()) { _, _ in }
        #expect(outcome == .failed(attempts: 1, message: "no answer within 300ms"))
    }

    @Test func aRequestCarriesItsBodyAndHeaders() async throws {
        let heard = Mutex<[ServerStandIn.Request]>([])
        let server = try await ServerStandIn { request in
            heard.withLock { $0.append(request) }
            return .json(["version": "3"])
        }
        var call = HookRequest(
            method: "POST", address: try HTTPAddress("http://127.0.0.1:\(server.port)/load/{release}"),
            headers: ["Authorization": "Bearer {release}"], json: .object(["path": .text("{path}")]),
            contains: .object(["version": .text("{release}")]))
        let said = try await caller.call(.request(call), Samples.values())
        #expect(said == "POST 127.0.0.1:\(server.port)/load/3: {\"version\":\"3\"}")
        let request = try #require(heard.withLock { $0.first })
        #expect(request.method == "POST" && request.path == "/load/3" && request.headers["authorization"] == "Bearer 3")
        #expect(request.headers["content-type"] == "application/json")
        #expect(String(decoding: request.body, as: UTF8.self) == #"{"path":"/srv/deploy/versions/3"}"#)
        call.contains = .object(["version": .text("4")])
        #expect(await failure(.request(call)).hasSuffix(#": {"version":"4"} was expected: {"version":"3"}"#))
        await server.stop()
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"ok\"\r\n6;x=y\r\n:true}\r\n0\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\n\r\n{\"ok\":true}", true),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 11\r\n\r\n{\"ok\":true}", true),
        ("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", false),
        ("HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"ok\":true}", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{\"ok\":true}", false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{\"ok\":true}", false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n{\"ok\":true}", false),
        ("SSH-2.0-server\r\n\r\n", false), ("HTTP/1.1 abc\r\n\r\n", false), ("", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\u{1}\u{2}\u{3}\u{4}", false),
    ])
    func answersAreReadAsTheyCome(raw: String, isGood: Bool) async throws {
        let server = try await ServerStandIn { _ in ServerStandIn.Answer(raw: raw) }
        let said = await failure(try request(server.port, contains: .object(["ok": .fixed(true)])))
        #expect(said.hasPrefix("succeeded") == isGood, "\(said)")
        await server.stop()
    }

    @Test func aServerThatIsNotThereIsSaid() async throws {
        let server = try await ServerStandIn { _ in .init() }
        await server.stop()
        let said = await failure(try request(server.port))
        #expect(said.hasPrefix("GET localhost:\(server.port)/: "), "\(said)")
        let unknown = HookRequest(method: "GET", address: try HTTPAddress("http://no-such-host.invalid/"))
        #expect(await failure(.request(unknown)).contains("resolve host"))
    }

    @Test func aMissingCurlIsNamed() async throws {
        let call = HookCall.request(HookRequest(method: "GET", address: try HTTPAddress("http://127.0.0.1:1/")))
        do throws(HookFailure) {
            _ = try await HookCaller(curl: "no-such-curl").call(call, Samples.values())
            Issue.record("no curl, and yet an answer")
        } catch {
            #expect(error.description.hasSuffix("install curl"), "\(error)")
        }
    }

    @Test func nothingInARequestIsAnOptionOfCurl() async throws {
        let heard = Mutex<[ServerStandIn.Request]>([])
        let server = try await ServerStandIn { request in
            heard.withLock { $0.append(request) }
            return .json(["ok": true])
        }
        let text = "@/etc/passwd\" \\ \noutput = \"/dev/full\" --help"
        let call = HookRequest(
            method: "PUT", address: try HTTPAddress("http://127.0.0.1:\(server.port)/[1-9]/../{a,b}?-o=@x"),
            headers: ["X-Quoted": "a \\ \"b\" --help"], json: .text(text))
        #expect(await failure(.request(call)).hasSuffix("status 200"))
        let request = try #require(heard.withLock { $0.first })
        #expect(request.method == "PUT" && request.path == "/[1-9]/../{a,b}?-o=@x")
        #expect(request.headers["x-quoted"] == "a \\ \"b\" --help")
        #expect(try JSONDecoder().decode(String.self, from: request.body) == text)
        let empty = HookRequest(method: "POST", address: try HTTPAddress("http://127.0.0.1:\(server.port)/"))
        #expect(await failure(.request(empty)).hasSuffix("status 200"))
        let last = try #require(heard.withLock { $0.last })
        #expect(last.headers["content-length"] == "0" && last.headers["content-type"] == nil)
        await server.stop()
    }

    @Test func anAnswerWithoutEndIsCutOff() async throws {
        let long = String(repeating: "x", count: 5 << 20)
        let server = try await ServerStandIn { _ in .init(raw: "HTTP/1.1 200 OK\r\n\r\n" + long) }
        #expect(await failure(try request(server.port)).contains("longer than 4194304 bytes"))
        await server.stop()
    }

    /// A real TLS server with a certificate that nobody has signed.
    @Test func httpsIsSpokenAndTheCertificateHasToBeTrusted() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sm-tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func openssl(_ words: String) throws -> (process: Process, output: FileHandle) {
            let (process, pipe) = (Process(), Pipe())
            process.executableURL = URL(filePath: "/usr/bin/openssl")
            process.arguments = words.split(separator: " ").map(String.init)
            process.currentDirectoryURL = URL(filePath: folder)
            (process.standardInput, process.standardOutput) = (FileHandle.nullDevice, pipe)
            process.standardError = FileHandle.nullDevice
            try process.run()
            return (process, pipe.fileHandleForReading)
        }
        try openssl("req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key -out cert").process
            .waitUntilExit()
        let server = try openssl("s_server -accept 127.0.0.1:0 -key key -cert cert -www")
        defer { server.process.terminate() }
        var said = ""
        while said.firstMatch(of: /ACCEPT .*:([0-9]+)\n/) == nil {
            let more = server.output.availableData
            try #require(!more.isEmpty, "openssl ended: \(said)")
            said += String(decoding: more, as: UTF8.self)
        }
        let port = try #require(said.firstMatch(of: /ACCEPT .*:([0-9]+)\n/)?.output.1)
        let address = try HTTPAddress("https://localhost:\(port)/")
        let answer = await failure(.request(HookRequest(method: "GET", address: address)))
        #expect(answer.hasPrefix("GET localhost:\(port)/: curl: (60) "), "\(answer)")
    }
}
