import Daemon
import Files
import Ledger
import Registry
import Testing

struct RegistryChangesTests {
    @Test func everyChangeIsSaidOnceAndSurvivesARestart() {
        var memory = PlannerMemory()
        var snapshot = Samples.snapshot([Samples.task("a")])
        snapshot.tasks["b"] = .refused(Refusal(code: "pickle", message: "a pickle", fingerprint: "f"))
        snapshot.tasks["c"] = .arriving("settling")
        snapshot.strays["x y"] = "not a task's name"
        let first = RegistryChanges.events(since: memory.announced, in: snapshot)
        #expect(first.map(\.kind) == [.accepted, .accepted, .refused, .refused])
        #expect(first.map(\.task) == [nil, "a", "b", "x y"])
        for event in first { memory.apply(event) }
        #expect(RegistryChanges.events(since: memory.announced, in: snapshot).isEmpty)

        snapshot.tasks["a"] = .accepted(Samples.task("a", "new"))
        snapshot.tasks["b"] = nil
        snapshot.strays = [:]
        let second = RegistryChanges.events(since: memory.announced, in: snapshot)
        #expect(second.map(\.kind) == [.accepted, .removed, .removed])
        for event in second { memory.apply(event) }
        #expect(RegistryChanges.events(since: memory.announced, in: snapshot).isEmpty)
    }

    @Test func aTaskWithoutLabelsIsSaidToBeJudgedByAgreement() throws {
        var task = Samples.task("a")
        task.isLabelled = false
        let event = try #require(RegistryChanges.events(since: [:], in: Samples.snapshot([task])).last)
        #expect(event.message.contains("without labels") && event.message.contains("agreement with its own checkpoint"))
        #expect(event.details["labelled"] == .bool(false))
    }

    @Test func whoseTheFilesAreIsSaid() {
        var snapshot = Samples.snapshot([Samples.task("a")])
        snapshot.tasks["b"] = .refused(Refusal(code: "pickle", message: "a pickle", fingerprint: "f"))
        snapshot.strays["x y"] = "not a task's name"
        snapshot.owners = [
            "base": [User(0)], "tasks/x y": [User(0)], "tasks/a": [User(4_000_000_001), User(4_000_000_002)],
            "tasks/b": [User(0)],
        ]
        let owners = RegistryChanges.events(since: [:], in: snapshot).map { $0.details["owners"] }
        let root = JSONValue.array([.string("root (0)")])
        #expect(owners == [root, .array([.string("4000000001"), .string("4000000002")]), root, root])
    }

    @Test func aFolderBeingRewrittenIsNoNews() {
        var memory = PlannerMemory()
        var snapshot = Samples.snapshot([Samples.task("a")])
        for event in RegistryChanges.events(since: memory.announced, in: snapshot) { memory.apply(event) }
        snapshot.tasks["a"] = .arriving("incomplete")
        #expect(RegistryChanges.events(since: memory.announced, in: snapshot).isEmpty)
    }
}
