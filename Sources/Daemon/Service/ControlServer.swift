import Control
import Files
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
    /// Time that a client may take over its request, and over each portion of the answer.
    var patience = HTTPServer.standardPatience

    func run() async throws {
        try Durable.createDirectories(path.splitPath.directory)
        try Self.clear(path)
        let descriptor = try UnixSocket.bind(path, mode: 0o660)
        defer { _ = unsafe unlink(path) }
        let listener = try await HTTPServer.listen(on: descriptor)
        let routes = ControlRoutes(reconciler: reconciler, deployment: deployment)
        var server = HTTPServer(logger: logger) { await routes.answer($0) }
        server.patience = patience
        try await server.serve(listener)
    }

    /// Removes a socket that a killed daemon left; throws where a live one listens or something else stands there.
    static func clear(_ path: String) throws {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw DaemonFailure("\(path) is not a socket; move it away or choose another `socket`")
        }
        if let probe = try? UnixSocket.connect(path) {
            close(probe)
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
