import Control
import Files
import FlyingSocks
import Foundation
import Glibc
import Logging
import ServiceLifecycle
import WorkerProtocol

/// The control socket: HTTP/1.1 with JSON bodies over a Unix socket that the service's group may use (mode 0660). One
/// request for each connection.
struct ControlServer: Service {
    let path: String
    let reconciler: Reconciler
    let logger: Logger
    /// Label of the metrics.
    var deployment = ""
    /// Takes the next connection; tests let it fail.
    var accepting: @Sendable (AsyncSocket) async throws -> AsyncSocket = { try await $0.accept() }
    /// Time that a client may take over its request, and over each portion of the answer.
    var patience = Connections.standardPatience

    func run() async throws {
        try Durable.createDirectories(path.splitPath.directory)
        try Self.clear(path)
        let pool: some AsyncSocketPool = .make()
        try await pool.prepare()
        let listener = try Socket(domain: AF_UNIX, type: .stream)
        defer { try? listener.close() }
        try listener.bind(to: .unix(path: path))
        defer { _ = unsafe unlink(path) }
        guard unsafe chmod(path, 0o660) == 0 else {
            throw DaemonFailure("the mode of \(path) can't be set; check who owns its directory")
        }
        try listener.listen()
        let routes = ControlRoutes(reconciler: reconciler, deployment: deployment)
        var connections = Connections(logger: logger, accepting: accepting) { await routes.answer($0) }
        connections.patience = patience
        try await connections.serve(try AsyncSocket(socket: listener, pool: pool), pool)
    }

    /// Removes a socket that a killed daemon left; throws where a live one listens or something else stands there.
    static func clear(_ path: String) throws {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw DaemonFailure("\(path) is not a socket; move it away or choose another `socket`")
        }
        let probe = try Socket(domain: AF_UNIX, type: .stream)
        defer { try? probe.close() }
        if (try? probe.connect(to: .unix(path: path))) != nil {
            throw DaemonFailure("another daemon listens on \(path); stop it or choose another `socket`")
        }
        guard unsafe unlink(path) == 0 else {
            throw DaemonFailure("the stale socket \(path) can't be removed; remove it by hand")
        }
    }
}

/// Why the daemon can't run, for people.
package struct DaemonFailure: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
