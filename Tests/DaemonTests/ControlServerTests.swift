import Control
import Files
import Foundation
import Glibc
import Ledger
import Logging
import Releases
import Testing
import WorkerProtocol

@testable import Daemon

@Suite(.timeLimit(.minutes(20)))
struct ControlServerTests {
    private func makeServer(_ path: String, _ daemon: Reconciler) -> ControlServer {
        ControlServer(
            path: path, reconciler: daemon, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            patience: .endless)
    }

    @Test func moreConnectionsThanCanBeAnsweredAreToldSo() async throws {
        try await serve { stand, client in
            let idle = try (0..<HTTPServer.most).map { _ in try UnixSocket.connect(client.socket) }
            await #expect { try await client.send("GET", "/status") } throws: { error in
                "\(error)".contains("try again later")
            }
            for descriptor in idle { close(descriptor) }
            while (try? await client.send("GET", "/status")) == nil { try await turn() }
        }
    }

    /// Serves a reconciler on a socket while `body` asks.
    private func serve(_ body: (DaemonStand, ControlClient) async throws -> Void) async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        let path = stand.folder + "/s"
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            let server = Task { try await makeServer(path, daemon).run() }
            while (try? FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int) != 0o660 {
                try await turn()
            }
            try await body(stand, ControlClient(patient: path))
            server.cancel()
            _ = try? await server.value
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func everyCommandAnswersInJSON() async throws {
        try await serve { stand, client in
            let status = try JSON.decode(DaemonStatus.self, from: try await client.send("GET", "/status"))
            #expect(status.deployed?.version == 1)
            #expect(status.deploy == stand.configuration.deploy)
            let record = try JSON.decode(ReleaseRecord.self, from: try await client.send("GET", "/releases/1"))
            #expect(record.tasks.map(\.name) == ["a"])
            let history = try JSON.decode([LedgerEntry].self, from: try await client.send("GET", "/history?last=2"))
            #expect(history.count == 2)
            #expect(history.last?.event == .published)
            for path in ["/pause", "/resume", "/retry/a", "/rescan?wait=true", "/rollback/1"] {
                let reply = try JSON.decode(ActionReply.self, from: try await client.send("POST", path))
                #expect(reply.outcome == .done, "\(path): \(reply.message)")
            }
        }
    }

    @Test(arguments: [
        ("GET", "/nothing"), ("POST", "/status"), ("GET", "/releases/99"), ("GET", "/releases/x"),
        ("POST", "/rollback/-1"), ("POST", "/rollback/../../etc"), ("POST", "/"),
        ("GET", "/releases/1/../../report.html"),
    ])
    func badRequestsAreAnsweredAndHarmNothing(method: String, path: String) async throws {
        try await serve { _, client in
            await #expect(throws: ControlError.self) { try await client.send(method, path) }
            let body = try await client.send("GET", "/status")
            #expect(!body.isEmpty)
        }
    }

    @Test func aTaskThatIsNotThereCantBeRetried() async throws {
        try await serve { _, client in
            let reply = try JSON.decode(ActionReply.self, from: try await client.send("POST", "/retry/nobody"))
            #expect(reply.outcome == .failed)
        }
    }

    @Test func aLiveSocketIsRefusedAndAStaleOneReplaced() async throws {
        try await serve { stand, client in
            #expect(throws: DaemonFailure.self) { try ControlServer.clear(client.socket) }
            let file = stand.folder + "/file"
            _ = FileManager.default.createFile(atPath: file, contents: Data())
            #expect(throws: DaemonFailure.self) { try ControlServer.clear(file) }
            try ControlServer.clear(stand.folder + "/missing")
        }
    }

    @Test(arguments: ["/nowhere/control.sock", "/" + String(repeating: "x", count: 200)])
    func nobodyListeningIsSaidSo(path: String) async {
        await #expect(throws: ControlError.self) { try await ControlClient(socket: path).send("GET", "/status") }
    }

    @Test func anotherProcessWithTheSameNumberIsLeftAlone() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "mark-\(UUID().uuidString)").path
        for text in ["\(ProcessInfo.processInfo.processIdentifier) 1\n", "nonsense", "1 1 1", "-1 5", ""] {
            try text.write(toFile: path, atomically: false, encoding: .utf8)
            #expect(!WorkerPIDFile(path: path).killOrphan())
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }
}
