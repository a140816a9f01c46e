import Foundation
import Glibc

/// `supermerged` over a site.
final class DaemonProcess {
    let process: ChildProcess
    let notifications: NotifySocket
    private let state: String
    private let errorsPath: String

    init(_ site: Site) throws {
        let name = "\(site.folder.path)/\(UUID().uuidString.prefix(8))"
        notifications = try NotifySocket(path: name + ".notify")
        errorsPath = name + ".errors"
        state = site.state
        process = try ChildProcess(
            Programs.daemon, ["--config", site.configuration],
            environment: ["NOTIFY_SOCKET": notifications.path], output: name + ".output", errors: errorsPath)
    }

    /// What it has said on standard error so far.
    var errors: String { (try? Execution.text(errorsPath)) ?? "" }

    func waitUntilReady() throws {
        do {
            try notifications.wait(for: "READY=1")
        } catch {
            throw ChildProcess.Failure(description: "\(error): \(errors)")
        }
    }

    /// The worker's process, while one runs.
    var worker: pid_t? {
        guard let text = try? Execution.text(state + "/worker.pid") else { return nil }
        return text.split(separator: " ").first.flatMap { pid_t($0) }
    }

    /// SIGTERM; gives the exit status.
    func stop() throws -> Int32 {
        process.signal(SIGTERM)
        return try process.wait()
    }

    /// SIGKILL.
    func kill() { process.kill() }
}
