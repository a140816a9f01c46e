import Control
import Foundation
import Registry
import Testing
import WorkerProtocol

@testable import Daemon

/// What `supermergectl plan` says, and that saying it does nothing.
@Suite(.timeLimit(.minutes(20)))
struct PlanReplyTests {
    @Test func whatWouldBeMergedIsToldAndNotDone() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a", "b", "c")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            _ = await daemon.pause()
            stand.registry.set(
                RegistrySnapshot(
                    base: .accepted(stand.base()),
                    tasks: [
                        "a": .accepted(Samples.task("a")), "b": .accepted(Samples.task("b", "other")),
                        "d": .accepted(Samples.task("d")),
                        "e": .refused(Refusal(code: "pickle", message: "a pickle", fingerprint: "f")),
                    ]))
            _ = await daemon.rescan(wait: true)
            let entries = try await daemon.history(last: nil).count
            let plan = await daemon.plan()
            #expect(plan.state == .due && plan.message.contains("paused") && plan.deployed == 1)
            #expect(
                plan.tasks.map { "\($0.name) \($0.change.rawValue)" } == [
                    "a kept", "b changed", "c removed", "d new", "e left-out",
                ])
            #expect(plan.tasks.last?.message.contains("a pickle") == true)
            #expect(plan.estimate?.memory == 1 << 20 && plan.estimate?.strategy.strategy == .incremental)
            #expect(!plan.isBaseChanged && !plan.isConfigurationChanged)
            #expect(plan.seconds == nil)
            #expect(try await daemon.history(last: nil).count == entries)
        }
        #expect(stand.worker.plans.count == 1)
    }

    @Test func nothingToDoIsSaidSo() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            let plan = await daemon.plan()
            #expect(plan.state == .nothing && plan.message == "up to date" && plan.estimate == nil)
            #expect(plan.tasks.map(\.change) == [.kept])
        }
    }

    private func record(
        _ version: Int, tasks: Int, seconds: Double, most steps: Int = 600, taken: Int = 0
    ) -> ReleaseRecord {
        var settings = MergeSettings()
        settings.steps = steps
        var record = Samples.record((0..<tasks).map { Samples.task("t\($0)") }, settings: settings, version: version)
        (record.result.seconds, record.result.steps) = (seconds, taken)
        return record
    }

    private func inputs(tasks: Int) -> MergeInputs {
        let digests = Dictionary(uniqueKeysWithValues: (0..<tasks).map { ("t\($0)", "digest") })
        var settings = MergeSettings()
        settings.steps = 600
        return MergeInputs(base: "base", tasks: digests, settings: settings)
    }

    @Test func theTimeIsThatOfMergesLikeIt() {
        let records = [
            record(1, tasks: 1, seconds: 1000), record(2, tasks: 2, seconds: 20),
            record(3, tasks: 2, seconds: 7, most: 5),
            record(4, tasks: 4, seconds: 80), record(5, tasks: 4, seconds: .nan), record(6, tasks: 1, seconds: 30),
        ]
        let (seconds, versions) = Reconciler.time(of: inputs(tasks: 3), steps: 600, from: records)
        #expect(seconds == 60 && versions == [2, 4, 6])
        #expect(Reconciler.time(of: inputs(tasks: 3), steps: 600, from: []).seconds == nil)
    }

    @Test func anArrivalTakesTheTimeOfItsFewerSteps() {
        let whole = record(1, tasks: 4, seconds: 400, taken: 480)
        #expect(Reconciler.time(of: inputs(tasks: 5), steps: 120, from: [whole]).seconds == 125)
        let arrival = record(2, tasks: 5, seconds: 50, taken: 100)
        #expect(Reconciler.time(of: inputs(tasks: 6), steps: 120, from: [arrival]).seconds == 60)
    }

    @Test func anArrivalMayTakeAShareOfTheSteps() {
        let deployed = record(1, tasks: 4, seconds: 400)
        func steps(
            _ tasks: Int, _ strategy: MergeSettings.Strategy? = .incremental, deployed: ReleaseRecord?,
            method: MergeSettings.Method = .supermerge
        ) -> Int {
            var inputs = inputs(tasks: tasks)
            inputs.settings.method = method
            return Reconciler.mostSteps(of: inputs, strategy, deployed: deployed)
        }
        #expect(steps(5, deployed: deployed) == 120)
        #expect(steps(8, deployed: deployed) == 120 && steps(9, deployed: deployed) == 600)
        #expect(steps(5, deployed: nil) == 600)
        #expect(steps(5, deployed: record(1, tasks: 4, seconds: 7, most: 5)) == 600)
        var adaptive = deployed
        adaptive.settings.method = .adamerging
        #expect(steps(5, deployed: adaptive, method: .adamerging) == 600)
        for strategy in [.joint, .hierarchical, nil] as [MergeSettings.Strategy?] {
            #expect(steps(5, strategy, deployed: deployed) == 600)
        }
    }
}
