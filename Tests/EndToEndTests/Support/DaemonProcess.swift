import Foundation
import Glibc

/// `supermerged` over a site.
final class DaemonProcess {
    let process: ChildProcess
    let notifications: NotifySocket
    private let state: String
    private let errorsPath: String

    /// `wrapper`: a program, with its arguments, that runs the daemon.
    init(_ site: Site, under wrapper: [String] = []) throws {
        let name = "\(site.folder.path)/\(UUID().uuidString.prefix(8))"
        notifications = try NotifySocket(path: name + ".notify")
        errorsPath = name + ".errors"
        state = site.state
        let command = wrapper + [Programs.daemon, "--config", site.configuration]
        process = try ChildProcess(
            command[0], Array(command.dropFirst()),
            environment: ["NOTIFY_SOCKET": notifications.path], output: name + ".output", errors: errorsPath)
        notifications.end(with: process.pid)
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

    /// Whether it says that it is ready before it ends.
    func becomesReady() throws -> Bool { try notifications.hears("READY=1") }

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

    /// SIGKILL of a daemon that runs under a wrapper, and of that.
    func killAll() {
        for child in (try? Execution.text("/proc/\(process.pid)/task/\(process.pid)/children"))?.split(separator: " ")
            ?? []
        {
            guard let number = pid_t(child) else { continue }
            _ = Glibc.kill(number, SIGKILL)
            _ = Await.end(of: number)
        }
        process.kill()
    }
}
