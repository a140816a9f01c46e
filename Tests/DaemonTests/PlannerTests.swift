import Files
import Ledger
import Registry
import Tasks
import Testing
import WorkerProtocol

@testable import Daemon

struct PlannerTests {
    /// The deployed tasks are kept, unless `kept` says which.
    private func decide(
        _ snapshot: RegistrySnapshot, _ deployed: ReleaseRecord? = nil, _ memory: PlannerMemory = PlannerMemory(),
        kept: [String]? = nil, settings: MergeSettings = MergeSettings()
    ) -> Decision {
        let tasks = (deployed?.tasks ?? []).filter { kept?.contains($0.name) ?? true }.map { task in
            var task = task
            task.directory = "/kept/\(task.digest)"
            return (task.name, task)
        }
        return Planner.decide(
            snapshot: snapshot, deployed: deployed, kept: Dictionary(uniqueKeysWithValues: tasks), settings: settings,
            memory: memory)
    }

    private func merged(_ decision: Decision) -> [String]? {
        guard case .merge(let request) = decision else { return nil }
        return request.tasks.map(\.name)
    }

    /// Task → digest of what is merged.
    private func digests(_ decision: Decision) -> [String: String]? {
        guard case .merge(let request) = decision else { return nil }
        return request.inputs.tasks
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
        var details = MergeDetails(request).ledgerDetails
        details["cause"] = .string(cause)
        memory.apply(LedgerEvent(kind, message: "because", details: details))
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

    /// Their release stays until the operator decides; nothing is started that can only fail.
    @Test func deployedFullWeightsAreNotMergedWhereReleasesAreOneAdapter() {
        var settings = MergeSettings()
        settings.writesAdapter = true
        var adapter = a
        adapter.source.files = [SourceFile(name: "adapter_config.json", bytes: 1, sha256: "", stamp: "")]
        var snapshot = Samples.snapshot([adapter])
        #expect(merged(decide(snapshot, settings: settings)) == ["a"])
        let refusal = Refusal(code: "no-adapter", message: "it holds full weights", fingerprint: "f")
        snapshot.tasks["b"] = .refused(refusal)
        #expect(merged(decide(snapshot, settings: settings)) == ["a"])
        #expect(reason(decide(snapshot, Samples.record([adapter, b]), settings: settings)) == .waiting)
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
            Upload<AcceptedBase>.missing, .arriving("x"), .refused(Refusal(code: "x", message: "y", fingerprint: "z")),
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

    @Test func aBadReplacementOfADeployedTaskLeavesTheOldVersionAndDelaysNobody() {
        let deployed = Samples.record([a, b])
        let refused = Upload<AcceptedTask>.refused(Refusal(code: "truncated", message: "short", fingerprint: "f"))
        for drop in [refused, .arriving("incomplete")] {
            var snapshot = Samples.snapshot([a])
            snapshot.tasks["b"] = drop
            guard case .nothing(let rest) = decide(snapshot, deployed) else {
                Issue.record("the same content is merged again")
                return
            }
            #expect(rest.reason == .upToDate && rest.message.contains("task b stays as deployed"))
            snapshot.tasks["c"] = .accepted(c)
            let decision = decide(snapshot, deployed)
            #expect(digests(decision) == ["a": "digest-a", "b": "digest-b", "c": "digest-c"])
            guard case .merge(let request) = decision else { return }
            #expect(request.tasks.map(\.directory) == ["/registry/tasks/a", "/kept/digest-b", "/registry/tasks/c"])
            #expect(request.new == ["c"])
        }
    }

    @Test func aReplacementThatTheGateRefusedLeavesTheOldVersionAndDelaysNobody() {
        let deployed = Samples.record([a, b])
        let worse = Samples.task("b", "worse")
        let memory = after(.gated, decide(Samples.snapshot([a, worse]), deployed))
        #expect(reason(decide(Samples.snapshot([a, worse]), deployed, memory)) == .upToDate)
        #expect(
            digests(decide(Samples.snapshot([a, worse, c]), deployed, memory))
                == ["a": "digest-a", "b": "digest-b", "c": "digest-c"])
    }

    @Test func aSuspectedNewVersionIsTriedAloneAgainstTheOldOne() {
        let deployed = Samples.record([a, b])
        let snapshot = Samples.snapshot([Samples.task("a", "harmful"), b, c])
        var memory = after(.gated, decide(snapshot, deployed))
        #expect(digests(decide(snapshot, deployed, memory)) == ["a": "harmful", "b": "digest-b"])
        memory = after(.gated, decide(snapshot, deployed, memory), memory)
        #expect(
            digests(decide(snapshot, deployed, memory)) == ["a": "digest-a", "b": "digest-b", "c": "digest-c"])
    }

    /// Where nothing could be kept: retryIndividually that no merge can do without go first, and it ends.
    @Test func withoutKeptFilesEverySuspectIsTriedAndNoneIsDropped() {
        let deployed = Samples.record([a, b])
        let snapshot = Samples.snapshot([Samples.task("a", "new"), Samples.task("b", "new"), c])
        var memory = PlannerMemory()
        for _ in 0..<8 {
            let decision = decide(snapshot, deployed, memory, kept: [])
            guard let names = merged(decision) else { break }
            #expect(names.contains("a") && names.contains("b"))
            memory = after(.gated, decision, memory)
        }
        #expect(reason(decide(snapshot, deployed, memory, kept: [])) == .waiting)
        #expect(Set(memory.setAside.keys) == ["a", "b"])
    }

    @Test func whatWasAdmittedAgainstAnotherBaseIsNotMergedOntoThisOne() {
        let deployed = Samples.record([a, b])
        var snapshot = Samples.snapshot([a, c], base: Samples.base("other"))
        snapshot.tasks["b"] = .refused(Refusal(code: "another-base", message: "far", fingerprint: "f"))
        #expect(reason(decide(snapshot, deployed)) == .waiting)
    }

    @Test func aDeployedTaskThatIsNeitherThereNorKeptIsNeverDropped() {
        let deployed = Samples.record([a, b])
        let refused = Upload<AcceptedTask>.refused(Refusal(code: "truncated", message: "short", fingerprint: "f"))
        for drop in [refused, .arriving("incomplete")] {
            var snapshot = Samples.snapshot([a])
            snapshot.tasks["b"] = drop
            #expect(reason(decide(snapshot, deployed, kept: [])) == .upToDate)
            snapshot.tasks["c"] = .accepted(c)
            #expect(reason(decide(snapshot, deployed, kept: [])) == .waiting)
        }
        let changed = Samples.snapshot([a, Samples.task("b", "worse")])
        let memory = after(.gated, decide(changed, deployed, kept: []))
        #expect(reason(decide(changed, deployed, memory, kept: [])) == .upToDate)
    }

    /// The new version of a deployed task and a new task were refused together: neither the next drop nor the trial of
    /// the other may leave the deployed task out.
    @Test func aSuspectedNewVersionOfADeployedTaskNeverDropsIt() {
        let deployed = Samples.record([a, b])
        let suspected = Samples.snapshot([Samples.task("a", "harmful"), b, c])
        let memory = after(.gated, decide(suspected, deployed))
        for snapshot in [suspected, Samples.snapshot([Samples.task("a", "harmful"), b, c, Samples.task("d")])] {
            let names = merged(decide(snapshot, deployed, memory)) ?? []
            #expect(names.contains("a") && names.contains("b"), "\(names)")
        }
    }

    @Test func aRefusedRemovalIsNotBlamedOnTheNextDrop() {
        let deployed = Samples.record([a, b])
        var memory = after(.gated, decide(Samples.snapshot([a]), deployed))
        memory = after(.gated, decide(Samples.snapshot([a, c]), deployed, memory), memory)
        #expect(memory.setAside.isEmpty)
        #expect(reason(decide(Samples.snapshot([a, c]), deployed, memory)) == .refused)
        #expect(merged(decide(Samples.snapshot([a, b, c]), deployed, memory)) == ["a", "b", "c"])
    }

    @Test func crashesWithoutANewTaskAreNotCalledARefusalByTheGate() {
        let deployed = Samples.record([a, b])
        let decision = decide(Samples.snapshot([a]), deployed)
        var memory = PlannerMemory()
        for _ in 1...5 { memory = after(.mergeFailed, decision, memory) }
        guard case .nothing(let rest) = decide(Samples.snapshot([a]), deployed, memory) else {
            Issue.record("it merges on")
            return
        }
        #expect(rest.reason == .refused)
        #expect(rest.message.contains("because") && !rest.message.contains("gate"))
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

    /// The memory after a rollback, as release 3, by which this is held.
    private func rolledBack(over snapshot: RegistrySnapshot) -> PlannerMemory {
        var memory = PlannerMemory()
        for event in RegistryChanges.events(since: [:], in: snapshot) { memory.apply(event) }
        let held = memory.announcedContent(MergeSettings())
        memory.apply(
            LedgerEvent(.rolledBack, version: 3, message: "back", details: ["held": held?.ledgerValue ?? .null]))
        return memory
    }

    @Test func aRollbackHoldsUntilTheRegistryChanges() {
        let snapshot = Samples.snapshot([a, b])
        var memory = rolledBack(over: snapshot)
        let deployed = Samples.record([a], version: 3)
        #expect(reason(decide(snapshot, deployed, memory)) == .held)
        var touched = snapshot
        touched.tasks["b"] = .arriving("not yet still")
        #expect(reason(decide(touched, deployed, memory)) == .held)
        #expect(merged(decide(Samples.snapshot([a, b, c]), deployed, memory)) == ["a", "b", "c"])
        memory.apply(LedgerEvent(.operatorAction, message: "on", details: ["action": "resume"]))
        #expect(merged(decide(snapshot, deployed, memory)) == ["a", "b"])
    }

    /// A disk that fails for a moment, or a folder that may not be read just now, shows no change; nor does a version
    /// that counts a task's config.json with its content.
    @Test func aRollbackHoldsWhereATaskCantBeReadOrCountsMore() {
        var task = b
        task.source.files = [SourceFile(name: "model.safetensors", bytes: 1, sha256: "00")]
        task.source.digest = Digest.manifest([(name: "model.safetensors", sha256: "00")])
        var older = Samples.snapshot([a, b])
        older.tasks["b"] = .accepted(task)
        let memory = rolledBack(over: older)
        let deployed = Samples.record([a], version: 3)
        #expect(reason(decide(older, deployed, memory)) == .held)
        var unreadable = older
        unreadable.tasks["b"] = .refused(Refusal(code: "unreadable", message: "no", fingerprint: "f"))
        #expect(reason(decide(unreadable, deployed, memory)) == .held)
        task.source.files.append(SourceFile(name: "config.json", bytes: 1, sha256: "11"))
        task.source.digest = "with its config.json"
        var newer = older
        newer.tasks["b"] = .accepted(task)
        #expect(reason(decide(newer, deployed, memory)) == .held)
        task.source.files[0].sha256 = "22"
        newer.tasks["b"] = .accepted(task)
        #expect(reason(decide(newer, deployed, memory)) != .held)
    }

    /// A newer version may refuse what the older one took: nobody has changed anything.
    @Test func aRollbackHoldsWhereAHeldTaskIsRefusedAsItIs() {
        let snapshot = Samples.snapshot([a, b])
        var memory = rolledBack(over: snapshot)
        let deployed = Samples.record([a], version: 3)
        func refused(_ digest: String?) -> RegistrySnapshot {
            var refused = snapshot
            refused.tasks["a"] = .refused(
                Refusal(code: "padded-at-start", message: "no", fingerprint: "f", digest: digest))
            return refused
        }
        let unchanged = refused("digest-a")
        for event in RegistryChanges.events(since: memory.announced, in: unchanged) { memory.apply(event) }
        #expect(reason(decide(unchanged, deployed, memory)) == .held)
        for digest in ["other", nil] {
            #expect(merged(decide(refused(digest), deployed, memory)) == ["a", "b"])
        }
        var another = unchanged
        another.tasks["c"] = .refused(Refusal(code: "x", message: "no", fingerprint: "f", digest: "digest-c"))
        #expect(reason(decide(another, deployed, memory)) == .held)
        another.tasks["c"] = .accepted(c)
        #expect(merged(decide(another, deployed, memory)) == ["a", "b", "c"])
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
