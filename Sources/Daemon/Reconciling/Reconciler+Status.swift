package import Control
import Foundation
package import Ledger
import Registry
import Releases
import Tasks
package import WorkerProtocol

extension Reconciler {
    package func status() -> DaemonStatus {
        var status = DaemonStatus(
            activity: activity, message: line(), base: baseStatus(), tasks: taskStatuses(),
            registry: configuration.registry, deploy: configuration.deploy, state: configuration.state,
            pid: ProcessInfo.processInfo.processIdentifier, started: started.formatted(.iso8601))
        status.deployed = deployed.map { release in
            DaemonStatus.Deployed(
                version: release.version, created: release.record.created, merge: release.record.merge,
                path: release.directory, rollbackOf: release.record.rollbackOf,
                tasks: release.record.tasks.map(\.name).sorted())
        }
        status.merge = running.map { merge in
            let progress = merge.progress
            var running = DaemonStatus.Merge(
                merge: merge.plan.merge, tasks: merge.plan.tasks.map(\.name),
                phase: progress?.phase.rawValue ?? "starting", done: progress?.done ?? 0, total: progress?.total ?? 0,
                started: merge.started.formatted(.iso8601))
            running.scores = merge.scores
            running.curve = merge.curve
            running.loss = progress?.loss
            running.heldOut = progress?.heldOut
            running.secondsLeft = progress?.secondsLeft
            return running
        }
        status.strays = snapshot?.strays ?? [:]
        status.hooks = hookStatuses()
        status.rollout = rolloutStatus()
        status.requiresExamples = configuration.requiresExamples
        status.daemonVersion = Product.version
        return status
    }

    package func history(last: Int?) async throws -> [LedgerEntry] { try await parts.ledger.entries(last: last) }

    package func release(_ version: Int) async throws -> ReleaseRecord {
        let store = parts.store
        return try await BlockingIO.run { try store.release(version).record }
    }

    /// Prometheus' text; `deployment` is a label of every sample.
    package func metrics(deployment: String) async -> String {
        let entries = await parts.ledger.count
        return MetricsReport(
            status: status(), health: health(), release: deployed?.record, events: ledgerQueue.counts, entries: entries
        ).text(deployment: deployment)
    }

    func timeline() async throws -> Timeline {
        let entries = try await parts.ledger.entries(last: Timeline.mostEntries)
        let store = parts.store
        return Timeline(entries, standing: Set(try await BlockingIO.run { try store.standing() }))
    }

    /// report.html of a release that stands.
    func report(_ version: Int) async throws -> [UInt8] {
        let store = parts.store
        return try await BlockingIO.run { try store.report(version) }
    }

    /// Tells the service manager in one line what happens, where that changed.
    func showStatus() {
        let text = running == nil ? line() : "merging \(line())"
        guard statusLine.changes(to: text) else { return }
        parts.notifier.status(text)
    }

    /// As `showStatus`, at a merge's pace: once a second, and when its phase changes.
    func showProgress(_ phase: WorkerEvent.Progress.Phase) {
        if statusLine.shows(phase, .now) { showStatus() }
    }

    private var activity: DaemonStatus.Activity {
        if running != nil { return .merging }
        if snapshot == nil, scans.failure == nil { return .starting }
        if memory.isPaused { return .paused }
        if scans.failure != nil || retries.dueAt != nil { return .failing }
        return [.waiting, .blocked, .onTrial].contains(rest.reason) ? .waiting : .idle
    }

    /// Goes on from the word for what the daemon does.
    private func line() -> String {
        if let merge = running { return Self.line(of: merge) }
        let version = deployed.map { "release \($0.version)" } ?? "no release yet"
        let trial = rest.reason == .onTrial ? nil : trialLine.map { "\($0); " }
        return "\(version); \(trial ?? "")\(scans.failure ?? rest.message)"
    }

    private static func line(of merge: RunningMerge) -> String {
        let count = merge.plan.tasks.count
        let start = "\(count) task\(count == 1 ? "" : "s")"
        guard let progress = merge.progress else { return "\(start): starting" }
        var parts = [
            "\(progress.phase == .fitting ? "step" : progress.phase.rawValue) \(progress.done)/\(progress.total)"
        ]
        if let heldOut = progress.heldOut { parts.append("held-out loss \(Gate.text(heldOut))") }
        if let seconds = progress.secondsLeft, seconds.isFinite {
            parts.append("\(Int(min(max(seconds, 0), 1e9).rounded())) s left")
        }
        return "\(start): \(parts.joined(separator: ", "))"
    }

    private func baseStatus() -> DaemonStatus.Task {
        switch snapshot?.base {
        case .accepted(let base):
            DaemonStatus.Task(
                name: "base", state: .accepted, message: base.hasGraph ? "accepted" : "accepted, without a graph",
                digest: base.source.digest)
        case .arriving(let reason): DaemonStatus.Task(name: "base", state: .arriving, message: reason)
        case .refused(let refusal): DaemonStatus.Task(name: "base", state: .refused, message: refusal.message)
        case .missing: DaemonStatus.Task(name: "base", state: .arriving, message: "missing")
        case nil: DaemonStatus.Task(name: "base", state: .arriving, message: "not looked at yet")
        }
    }

    private func taskStatuses() -> [DaemonStatus.Task] {
        let tasks = snapshot?.tasks ?? [:]
        let old = deployed.map { MergeInputs(record: $0.record).tasks } ?? [:]
        let scores = Dictionary(
            (deployed?.record.result.tasks ?? []).map { ($0.task, $0.merged?.value) }
        ) { first, _ in first }
        let contexts = snapshot.flatMap { snapshot -> [String]? in
            guard case .accepted(let base) = snapshot.base else { return nil }
            return MergeInputs(base: base.source.digest, tasks: [:], settings: configuration.merge).contexts
        }
        let onTrial = candidate.map { MergeInputs(record: $0.record).tasks } ?? [:]
        let merging = Dictionary(running?.request.tasks.map { ($0.name, $0.digest) } ?? []) { first, _ in first }
        return Set(tasks.keys).union(old.keys).sorted().map { name in
            let score = scores[name] ?? nil
            let stays = old[name] == nil ? "" : "; the deployed version stays"
            switch tasks[name] {
            case .accepted(let task):
                let digest = task.source.digest
                let aside = contexts.flatMap { memory.setAside(name, digest: digest, contexts: $0) }
                let state: DaemonStatus.Task.State =
                    merging[name] == digest
                    ? .merging
                    : old[name] == digest
                        ? .deployed : aside != nil ? .setAside : onTrial[name] == digest ? .candidate : .accepted
                let message =
                    switch state {
                    case .setAside: (aside?.message ?? "") + stays
                    case .candidate: "in the candidate, release \(candidate?.version ?? 0)" + stays
                    default: ""
                    }
                return DaemonStatus.Task(name: name, state: state, message: message, digest: digest, score: score)
            case .refused(let refusal):
                return DaemonStatus.Task(name: name, state: .refused, message: refusal.message + stays, score: score)
            case .arriving(let reason):
                return DaemonStatus.Task(name: name, state: .arriving, message: reason + stays, score: score)
            case .missing, nil:
                return DaemonStatus.Task(
                    name: name, state: .deployed, message: "its folder is gone: the next release leaves it out",
                    digest: old[name], score: score)
            }
        }
    }
}
