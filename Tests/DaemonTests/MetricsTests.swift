import Control
import Foundation
import Ledger
import Testing
import WorkerProtocol

@testable import Daemon

/// What Prometheus reads.
@Suite(.timeLimit(.minutes(20)))
struct MetricsTests {
    static let promtool = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Everything that can be exported, with names from outside at their worst.
    private func report() -> MetricsReport {
        let evil = "a\"b\\c\nd"
        var status = DaemonStatus(
            activity: .merging, message: "", base: .init(name: "base", state: .accepted, message: ""),
            tasks: [.init(name: evil, state: .deployed, message: "")], registry: "", deploy: "", state: "", pid: 1,
            started: "2026-01-01T00:00:00Z")
        var merge = DaemonStatus.Merge(
            merge: "m", tasks: [evil], phase: "fitting", done: 25, total: 100, started: "2026-01-01T01:00:00Z")
        merge.loss = 0.5
        merge.secondsLeft = 12.5
        merge.curve = [FitPoint(step: 10, loss: 0.7, heldOut: .nan)]
        status.merge = merge
        status.hooks = [.init(evil, .failed, version: 3)]
        status.rollout = .init(
            version: 4, kind: "canary", state: .checking, message: evil, heldSeconds: 30, windowSeconds: 60, previous: 3
        )
        var record = Samples.record([Samples.task(evil)], version: 3)
        var task = TaskResult(task: evil, fitted: 1)
        task.base = Score(examples: 4, loss: .infinity, metric: "accuracy", value: 0.25)
        task.own = Score(examples: 4, loss: 1, metric: "accuracy", value: 1)
        task.merged = Score(examples: 4, loss: 1, metric: "accuracy", value: 0.75)
        record.result = MergeResult(tasks: [task])
        record.result.seconds = 3.5
        record.result.peakMemory = 1 << 30
        return MetricsReport(
            status: status, health: HealthReply(problems: [.init("paused", .warning, message: "")]), release: record,
            events: [.published: 3], entries: 17)
    }

    @Test func samplesAreWrittenAsTheFormatSays() {
        let lines = report().text(deployment: "main").split(separator: "\n").map(String.init)
        for line in [
            #"supermerge_release_version{deployment="main"} 3"#, #"supermerge_healthy{deployment="main"} 1"#,
            #"supermerge_events_total{deployment="main",event="published"} 3"#,
            #"supermerge_task_score{deployment="main",task="a\"b\\c\nd",model="deployed",metric="accuracy"} 0.75"#,
            #"supermerge_task_loss{deployment="main",task="a\"b\\c\nd",model="base",metric="accuracy"} +Inf"#,
            #"supermerge_merge_held_out_loss{deployment="main"} NaN"#,
            #"supermerge_merge_phase_progress_ratio{deployment="main"} 0.25"#,
            #"supermerge_merge_phase{deployment="main",phase="fitting"} 1"#,
            #"supermerge_health_problems{deployment="main",code="paused"} 1"#,
            #"supermerge_release_created_timestamp_seconds{deployment="main"} 1767225600"#,
            #"supermerge_rollout_state{deployment="main",state="checking"} 1"#,
            #"supermerge_rollout_held_seconds{deployment="main"} 30"#,
            #"supermerge_hook_state{deployment="main",hook="a\"b\\c\nd",state="failed"} 1"#,
            "# TYPE supermerge_events_total counter", "# TYPE supermerge_tasks gauge",
        ] { #expect(lines.contains(line), "\(line)") }
        #expect(report().text(deployment: "").contains("\nsupermerge_release_version 3\n"))
    }

    @Test(.enabled(if: promtool != nil, "promtool is not installed (Debian's package prometheus)"))
    func promtoolFindsNothingToSay() throws {
        try check(["check", "metrics"], input: report().text(deployment: "main"))
        try check(["check", "rules", Self.root.appending(path: "monitoring/alerts.yaml").path], input: "")
    }

    private func check(_ arguments: [String], input: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: try #require(Self.promtool))
        process.arguments = arguments
        let (standardInput, output) = (Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = output
        try process.run()
        standardInput.fileHandleForWriting.write(Data(input.utf8))
        try standardInput.fileHandleForWriting.close()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(said)")
    }

    @Test func everyMetricAndProblemIsDocumentedAndNoOther() throws {
        let page = try Self.text("docs/monitoring.md")
        let text = report().text(deployment: "")
        let exported = Set(text.matches(of: /# TYPE (\w+)/).map { String($0.1) })
        #expect(Set(page.matches(of: /\| `(supermerge_\w+)` \|/).map { String($0.1) }) == exported)
        #expect(
            Set(page.matches(of: /\| `([a-z-]+)` \| (?:error|warning) \|/).map { String($0.1) })
                == Set(HealthReply.codes))
        for file in ["monitoring/alerts.yaml", "monitoring/grafana.json"] {
            let content = try Self.text(file)
            let used = Set(content.matches(of: /supermerge_\w+/).map { String($0.0) })
            #expect(!used.isEmpty && used.isSubset(of: exported), "\(file): \(used.subtracting(exported))")
        }
        let dashboard = Data(try Self.text("monitoring/grafana.json").utf8)
        #expect(try JSONSerialization.jsonObject(with: dashboard) is [String: Any])
    }

    @Test func eventsOfADaemonAreCounted() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a", "b")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            let text = await daemon.metrics(deployment: "")
            #expect(text.contains("\nsupermerge_events_total{event=\"published\"} 1\n"))
            #expect(text.contains("\nsupermerge_tasks{state=\"deployed\"} 2\n"))
            #expect(text.contains("\nsupermerge_merge_running 0\n") && !text.contains("supermerge_merge_loss"))
        }
    }
}
