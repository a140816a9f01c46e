import Daemon
import Ledger
import Registry
import Testing
import WorkerProtocol

struct PlannerTests {
    private func decide(
        _ snapshot: RegistrySnapshot, _ deployed: ReleaseRecord? = nil, _ memory: PlannerMemory = PlannerMemory(),
        settings: MergeSettings = MergeSettings()
    ) -> Decision {
        Planner.decide(snapshot: snapshot, deployed: deployed, settings: settings, memory: memory)
    }

    private func merged(_ decision: Decision) -> [String]? {
        guard case .merge(let request) = decision else { return nil }
        return request.tasks.map(\.source.name)
    }

    private func reason(_ decision: Decision) -> Decision.Rest.Reason? {
        guard case .nothing(let rest) = decision else { return nil }
        return rest.reason
    }

    /// The memory after a merge of `decision` ended as `kind`.
    private func after(
        _ kind: LedgerEvent.Kind, _ decision: Decision, _ memory: PlannerMemory = PlannerMemory(),
        cause: String = "crash"
    ) -> PlannerMemory {
        guard case .merge(let request) = decision else { return memory }
        var memory = memory
        memory.apply(
            LedgerEvent(
                kind, message: "because",
                details: [
                    "inputs": .string(request.inputs.fingerprint), "context": .string(request.inputs.context),
                    "tasks": .object(request.inputs.tasks.mapValues { .string($0) }),
                    "new": .array(request.new.map { .string($0) }), "cause": .string(cause),
                ]))
        return memory
    }

    let a = Samples.task("a")
    let b = Samples.task("b")
    let c = Samples.task("c")

    @Test func manyArrivalsAreOneMerge() {
        #expect(merged(decide(Samples.snapshot([c, a, b]))) == ["a", "b", "c"])
    }

    @Test func nothingNewIsNothingToDo() {
        #expect(reason(decide(Samples.snapshot([a, b]), Samples.record([a, b]))) == .upToDate)
    }

    @Test func threadsDeviceAndMemoryDontStartAMerge() {
        var settings = MergeSettings()
        settings.threads = 7
        settings.memory = 1 << 30
        settings.device = .cuda
        let deployed = Samples.record([a])
        #expect(reason(decide(Samples.snapshot([a]), deployed, settings: settings)) == .upToDate)
        settings.steps = 7
        #expect(merged(decide(Samples.snapshot([a]), deployed, settings: settings)) == ["a"])
    }

    @Test func aNewTaskAChangedTaskARemovedTaskAndAChangedBaseStartOne() {
        let deployed = Samples.record([a, b])
        #expect(merged(decide(Samples.snapshot([a, b, c]), deployed)) == ["a", "b", "c"])
        #expect(merged(decide(Samples.snapshot([a, Samples.task("b", "new")]), deployed)) == ["a", "b"])
        #expect(merged(decide(Samples.snapshot([a]), deployed)) == ["a"])
        #expect(merged(decide(Samples.snapshot([a, b], base: Samples.base("other")), deployed)) == ["a", "b"])
    }

    @Test func withoutTasksTheReleaseStays() {
        #expect(reason(decide(Samples.snapshot([]), Samples.record([a]))) == .noTasks)
        #expect(reason(decide(Samples.snapshot([]))) == .noTasks)
    }

    @Test func withoutABaseNothingHappens() {
        for base in [
            Drop<AcceptedBase>.missing, .arriving("x"), .refused(Refusal(code: "x", message: "y", fingerprint: "z")),
        ] {
            let snapshot = RegistrySnapshot(base: base, tasks: ["a": .accepted(a)])
            #expect(reason(decide(snapshot)) == .noBase)
        }
    }

    @Test func aGatedTaskIsSetAsideUntilItChanges() {
        let deployed = Samples.record([a])
        let first = decide(Samples.snapshot([a, b]), deployed)
        let memory = after(.gated, first)
        #expect(reason(decide(Samples.snapshot([a, b]), deployed, memory)) == .upToDate)
        #expect(merged(decide(Samples.snapshot([a, Samples.task("b", "better")]), deployed, memory)) == ["a", "b"])
        #expect(merged(decide(Samples.snapshot([a, b, c]), deployed, memory)) == ["a", "c"])
    }

    @Test func severalGatedTasksAreTriedOneAtATime() {
        let deployed = Samples.record([a])
        let snapshot = Samples.snapshot([a, b, c])
        var memory = after(.gated, decide(snapshot, deployed))
        #expect(merged(decide(snapshot, deployed, memory)) == ["a", "b"])
        memory = after(.gated, decide(snapshot, deployed, memory), memory)
        #expect(merged(decide(snapshot, deployed, memory)) == ["a", "c"])
        memory = after(.published, decide(snapshot, deployed, memory), memory)
        #expect(reason(decide(snapshot, Samples.record([a, c], version: 2), memory)) == .upToDate)
    }

    @Test func aFreshTaskGoesBeforeSuspects() {
        let deployed = Samples.record([a])
        let memory = after(.gated, decide(Samples.snapshot([a, b, c]), deployed))
        let d = Samples.task("d")
        #expect(merged(decide(Samples.snapshot([a, b, c, d]), deployed, memory)) == ["a", "d"])
    }

    @Test func aGatedRemovalIsNotTriedAgain() {
        let deployed = Samples.record([a, b])
        let memory = after(.gated, decide(Samples.snapshot([a]), deployed))
        #expect(reason(decide(Samples.snapshot([a]), deployed, memory)) == .refused)
    }

    @Test func aDeployedTaskWithUnusableNewContentIsNeverDropped() {
        let deployed = Samples.record([a, b])
        let refused = Drop<AcceptedTask>.refused(Refusal(code: "truncated", message: "short", fingerprint: "f"))
        for drop in [refused, .arriving("incomplete")] {
            var snapshot = Samples.snapshot([a])
            snapshot.tasks["b"] = drop
            #expect(reason(decide(snapshot, deployed)) == .upToDate)
            snapshot.tasks["c"] = .accepted(c)
            #expect(reason(decide(snapshot, deployed)) == .waiting)
        }
        let changed = Samples.snapshot([a, Samples.task("b", "worse")])
        let memory = after(.gated, decide(changed, deployed))
        #expect(reason(decide(changed, deployed, memory)) == .upToDate)
    }

    @Test func aBadNewDropNeverDelaysAGoodOne() {
        var snapshot = Samples.snapshot([a, c])
        snapshot.tasks["b"] = .refused(Refusal(code: "pickle", message: "no", fingerprint: "f"))
        #expect(merged(decide(snapshot, Samples.record([a]))) == ["a", "c"])
    }

    @Test func fiveCrashesSetANewTaskAside() {
        let deployed = Samples.record([a])
        let snapshot = Samples.snapshot([a, b])
        let decision = decide(snapshot, deployed)
        var memory = PlannerMemory()
        for _ in 1...4 {
            memory = after(.mergeFailed, decision, memory)
            #expect(merged(decide(snapshot, deployed, memory)) == ["a", "b"])
        }
        memory = after(.mergeFailed, decision, memory)
        #expect(reason(decide(snapshot, deployed, memory)) == .upToDate)
    }

    @Test func aFullDiskSetsNothingAside() {
        let snapshot = Samples.snapshot([a])
        let decision = decide(snapshot)
        var memory = PlannerMemory()
        for _ in 1...20 { memory = after(.mergeFailed, decision, memory, cause: "environment") }
        #expect(merged(decide(snapshot, nil, memory)) == ["a"])
        #expect(memory.failures.values.max() == 20)
    }

    @Test func aBadBaseWaitsForAnotherBaseOrOtherSettings() {
        let snapshot = Samples.snapshot([a])
        let memory = after(.mergeFailed, decide(snapshot), cause: "bad-base")
        #expect(reason(decide(snapshot, nil, memory)) == .blocked)
        #expect(merged(decide(Samples.snapshot([a], base: Samples.base("other")), nil, memory)) == ["a"])
        var settings = MergeSettings()
        settings.method = .average
        #expect(merged(decide(snapshot, nil, memory, settings: settings)) == ["a"])
    }

    @Test func aRollbackHoldsUntilTheRegistryChanges() {
        let snapshot = Samples.snapshot([a, b])
        let held = Planner.everything(snapshot, base: Samples.base(), settings: MergeSettings()).fingerprint
        var memory = PlannerMemory()
        memory.apply(LedgerEvent(.rolledBack, version: 3, message: "back", details: ["held": .string(held)]))
        let deployed = Samples.record([a], version: 3)
        #expect(reason(decide(snapshot, deployed, memory)) == .held)
        #expect(merged(decide(Samples.snapshot([a, b, c]), deployed, memory)) == ["a", "b", "c"])
        memory.apply(LedgerEvent(.operatorAction, message: "on", details: ["action": "resume"]))
        #expect(merged(decide(snapshot, deployed, memory)) == ["a", "b"])
    }

    @Test func retryForgetsWhatIsKnownAgainstATask() {
        let deployed = Samples.record([a])
        let snapshot = Samples.snapshot([a, b])
        var memory = after(.gated, decide(snapshot, deployed))
        memory.apply(LedgerEvent(.operatorAction, task: "b", message: "again", details: ["action": "retry"]))
        #expect(merged(decide(snapshot, deployed, memory)) == ["a", "b"])
    }

    @Test func pauseHoldsEverything() {
        var memory = PlannerMemory()
        memory.apply(LedgerEvent(.operatorAction, message: "stop", details: ["action": "pause"]))
        #expect(reason(decide(Samples.snapshot([a]), nil, memory)) == .paused)
    }

    @Test func mergeNamesTellInputsApart() {
        let inputs = MergeInputs(base: "base", tasks: ["a": "1"], settings: MergeSettings())
        let other = MergeInputs(base: "base", tasks: ["a": "2"], settings: MergeSettings())
        #expect(inputs.mergeName(deployed: 1) == inputs.mergeName(deployed: 1))
        #expect(Set([inputs, other].flatMap { [$0.mergeName(deployed: 1), $0.mergeName(deployed: nil)] }).count == 4)
        #expect(inputs.mergeName(deployed: 1).count == 12)
    }
}
