import Control
import Foundation

/// Waits until a submitted task is published or refused.
struct SubmissionWait {
    /// Answers that leave it open, for example because another task arrived meanwhile, before it counts as failed.
    private static let attempts = 3

    let connection: Connection

    func finish(_ report: inout SubmissionReport) async throws {
        var attempt = 1
        while attempt <= Self.attempts {
            let reply = try connection.decode(
                ActionReply.self, try await connection.send("POST", "/rescan?wait=true"))
            let status = try connection.decode(DaemonStatus.self, try await connection.send("GET", "/status"))
            take(reply, status, isLast: attempt == Self.attempts, &report)
            if report.outcome != nil { return }
            if status.rollout != nil {
                try await waitForTrial()
            } else {
                attempt += 1
            }
        }
    }

    /// Returns when no release is on trial; says on standard error what it waits for, at each change of the state.
    private func waitForTrial() async throws {
        var path = "/watch"
        var told: DaemonStatus.Rollout.State?
        while true {
            let reply = try connection.decode(LongPollReply.self, try await connection.send("GET", path))
            guard let rollout = reply.status.rollout else { return }
            if rollout.state != told {
                told = rollout.state
                Terminal.error("release \(rollout.version) is on trial: \(rollout.message)")
            }
            path = "/watch?revision=\(reply.revision)"
        }
    }

    private func take(
        _ reply: ActionReply, _ status: DaemonStatus, isLast: Bool, _ report: inout SubmissionReport
    ) {
        guard let task = status.tasks.first(where: { $0.name == report.task }) else {
            (report.outcome, report.message) = (.failed, "\(report.task) is no longer in the registry")
            return
        }
        switch task.state {
        case .deployed
        where task.digest == report.digest && status.rollout?.version == status.deployed?.version
            && status.rollout != nil:
            return
        case .candidate where status.rollout?.state == .byHand:
            report.submitted("it is in the candidate, and an operator decides")
        case .deployed where task.digest == report.digest:
            (report.outcome, report.version) = (.published, status.deployed?.version)
            let release = status.deployed.map { "release \($0.version)" } ?? "the deployed release"
            report.message = "\(report.task) is deployed in \(release)"
        case .refused, .setAside: (report.outcome, report.message) = (.refused, task.message)
        case .deployed:
            (report.outcome, report.message) = (.failed, "another content of \(report.task) was submitted meanwhile")
        case .arriving, .accepted, .merging, .candidate:
            let isOpen = (!isLast || status.rollout != nil) && (reply.outcome != .failed) && status.activity != .paused
            guard !isOpen else { return }
            let why = reply.outcome == .done ? status.message : reply.message
            (report.outcome, report.message) = (.failed, "\(report.task) is \(task.state.rawValue): \(why)")
        }
    }
}
