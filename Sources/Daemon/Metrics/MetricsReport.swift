import Control
import Foundation
import Ledger
import WorkerProtocol

/// What the daemon tells Prometheus, from values that it has anyway. Names follow prometheus.io/docs/practices/naming;
/// a release of many tasks has eight samples for each.
struct MetricsReport {
    var status: DaemonStatus
    var health: HealthReply
    /// The deployed release.
    var release: ReleaseRecord?
    /// Ledger entries of each kind since the daemon began.
    var events: [LedgerEvent.Kind: Int]
    /// Entries of the whole ledger.
    var entries: Int

    /// `deployment` is a label of every sample, so that the files of several daemons can lie in one folder.
    func text(deployment: String) -> String {
        let all = daemon + deployed + tasks + hooks + rollout + merge
        return all.map { $0.text(deployment.isEmpty ? [] : [("deployment", deployment)]) }.joined()
    }

    private var daemon: [Metric] {
        let activities = ["failing", "idle", "merging", "paused", "starting", "waiting"]
        let counts = Dictionary(grouping: health.problems, by: \.code).mapValues(\.count)
        return [
            Metric("supermerge_start_time_seconds", "When the daemon began.", Self.seconds(status.started)),
            Metric("supermerge_healthy", "Whether nothing keeps releases from being made.", health.isHealthy ? 1 : 0),
            Metric(
                "supermerge_health_problems", "Problems by kind, as /health lists them.",
                samples: HealthReply.codes.map { ([("code", $0)], Double(counts[$0] ?? 0)) }),
            Metric(
                "supermerge_activity", "What the daemon does: 1 for that, 0 for the others.", label: "activity",
                cases: activities, is: status.activity.rawValue),
            Metric(
                "supermerge_events_total", "Entries of the ledger since the daemon began, by kind.", kind: .counter,
                samples: LedgerEvent.Kind.allCases.map { ([("event", $0.rawValue)], Double(events[$0] ?? 0)) }),
            Metric("supermerge_ledger_entries", "Entries of the whole ledger.", Double(entries)),
        ]
    }

    private var deployed: [Metric] {
        let result = release?.result
        return [
            Metric("supermerge_release_version", "Number of the deployed release.", release.map { Double($0.version) }),
            Metric(
                "supermerge_release_created_timestamp_seconds", "When the deployed release was made.",
                release.flatMap { Self.seconds($0.created) }),
            Metric(
                "supermerge_release_merge_duration_seconds", "Time that the deployed release's merge took.",
                result?.seconds),
            Metric(
                "supermerge_release_merge_peak_memory_bytes", "Most memory that the deployed release's merge took.",
                result.map { Double($0.peakMemory) }),
        ]
    }

    private var tasks: [Metric] {
        let states = ["accepted", "arriving", "candidate", "deployed", "merging", "refused", "set-aside"]
        let counts = Dictionary(grouping: status.tasks, by: \.state.rawValue).mapValues(\.count)
        let scores = (release?.result.tasks ?? []).flatMap { task in
            [("base", task.base), ("own", task.own), ("previous", task.deployed), ("deployed", task.merged)].compactMap
            {
                model, score in score.map { (task.task, model, $0) }
            }
        }
        func samples(_ value: (Score) -> Double) -> [(labels: [(name: String, value: String)], value: Double)] {
            scores.map { task, model, score in
                ([("task", task), ("model", model), ("metric", score.metric)], value(score))
            }
        }
        return [
            Metric(
                "supermerge_tasks", "Tasks of the registry and the deployed release, by state.",
                samples: states.map { ([("state", $0)], Double(counts[$0] ?? 0)) }),
            Metric(
                "supermerge_task_score",
                "Held-out metric of the deployed release, the release before, the task's own checkpoint and the base.",
                samples: samples(\.value)),
            Metric("supermerge_task_loss", "Mean loss on the same examples.", samples: samples(\.loss)),
        ]
    }

    private var hooks: [Metric] {
        [
            Metric(
                "supermerge_hook_state", "State of each hook for the deployed release: 1 for that, 0 for the others.",
                samples: status.hooks.flatMap { hook in
                    DaemonStatus.Hook.State.allCases.map { state in
                        ([("hook", hook.name), ("state", state.rawValue)], hook.state == state ? 1 : 0)
                    }
                })
        ]
    }

    private var rollout: [Metric] {
        [
            Metric(
                "supermerge_rollout_version", "Number of the release on trial.",
                status.rollout.map { Double($0.version) }),
            Metric(
                "supermerge_rollout_state", "State of the trial: 1 for that, 0 for the others; 0 for all without one.",
                samples: DaemonStatus.Rollout.State.allCases.map { state in
                    ([("state", state.rawValue)], status.rollout?.state == state ? 1 : 0)
                }),
            Metric(
                "supermerge_rollout_held_seconds", "Time in which the check of the release on trial held.",
                status.rollout?.heldSeconds),
            Metric(
                "supermerge_rollout_window_seconds", "Time in which that check has to hold.",
                status.rollout?.windowSeconds),
        ]
    }

    private var merge: [Metric] {
        let merge = status.merge
        let phases = ["calibrating", "fitting", "reading", "scoring", "starting", "writing"]
        let done = merge.map { $0.total > 0 ? min(1, max(0, Double($0.done) / Double($0.total))) : 0 }
        var all = [
            Metric("supermerge_merge_running", "Whether a merge is under way.", merge == nil ? 0 : 1),
            Metric(
                "supermerge_merge_start_time_seconds", "When the running merge began.",
                merge.flatMap { Self.seconds($0.started) }),
            Metric("supermerge_merge_phase_progress_ratio", "Share of the running merge's phase that is done.", done),
            Metric("supermerge_merge_loss", "Loss of the running fit's step.", merge?.loss),
            Metric(
                "supermerge_merge_held_out_loss", "Held-out loss of the running fit's last look.",
                merge?.curve.last?.heldOut),
            Metric(
                "supermerge_merge_remaining_seconds", "Estimate of the time that the running merge still takes.",
                merge?.secondsLeft),
        ]
        if let merge {
            all.append(
                Metric(
                    "supermerge_merge_phase", "Phase of the running merge: 1 for that, 0 for the others.",
                    label: "phase",
                    cases: phases, is: merge.phase))
        }
        return all
    }

    private static func seconds(_ time: String) -> Double? {
        (try? Date(time, strategy: .iso8601)).map { $0.timeIntervalSince1970.rounded() }
    }
}
