import Control
import Files
import FlyingFox
import FlyingSocks
import Foundation
import Glibc
import Ledger
import ServiceLifecycle
import WorkerProtocol

/// The control socket: HTTP with JSON bodies over a Unix socket that the service's group may use (mode 0660).
struct ControlServer: Service {
    let path: String
    let reconciler: Reconciler

    func run() async throws {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try Durable.createDirectories(String(path[..<slash]))
        }
        try Self.clear(path)
        let server = HTTPServer(
            // A merge may take hours, and `rescan --wait` waits for it.
            config: HTTPServer.Configuration(
                address: .unix(path: path), timeout: 7 * 24 * 3600, logger: DisabledLogger.disabled),
            handler: ControlRoutes(reconciler: reconciler))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await server.run()
                throw DaemonFailure("the control socket \(path) was closed")
            }
            group.addTask {
                try await server.waitUntilListening(timeout: 60)
                _ = unsafe chmod(path, 0o660)
                try? await gracefulShutdown()
            }
            defer { group.cancelAll() }
            _ = try await group.next()
            await server.stop(timeout: 0.2)
        }
        _ = unsafe unlink(path)
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
