import Files
import Ledger
import Registry
import Testing
import WorkerProtocol

@testable import Daemon

/// What a daemon of an older version wrote into the ledger still counts: its digests are over every setting that it
/// knew.
struct SettingsUpgradeTests {
    /// SHA-256 over "base", the base's digest "base", "settings" and the settings as version 1 wrote them; with tasks
    /// a and b; with a alone.
    struct Digests: Sendable {
        var context: String
        var both: String
        var one: String

        /// 0.1.0, which had no `start` and no `ridge`.
        static let released = Digests(
            context: "fa8be6903c5be580225ccd2efe097ad7a307cd8180b5eb17b3bd8d862ad59652",
            both: "c91480adfa3c6a2d3de7cbac27dc1aa42dc43de37f666999e1c8b8d6777abf37",
            one: "12d34bf3ea5c0fe3ba88075c05375af6d8e626c992de515e85cffe6868511511")
        static let withStart = Digests(
            context: "e59819f6c12b5eb8eae758033f4fa91cb3478b67e3584c5726f0dd382da4acb8",
            both: "af97587d504e92c80eb499147c335c56f50cbc7dc89e53493e37d5d4365556ad",
            one: "919ba12b560c99fdc339a45a6741a8a4efe532a84a3e7b843d484b5d73a38823")
    }

    static let versions = [Digests.released, .withStart]

    let a = Samples.task("a")
    let b = Samples.task("b")

    private func decide(
        _ deployed: ReleaseRecord?, _ memory: PlannerMemory, settings: MergeSettings = MergeSettings()
    ) -> Decision {
        Planner.decide(
            snapshot: Samples.snapshot([a, b]), deployed: deployed,
            kept: Dictionary(uniqueKeysWithValues: (deployed?.tasks ?? []).map { ($0.name, $0) }), settings: settings,
            memory: memory)
    }

    private func reason(_ decision: Decision) -> Decision.Rest.Reason? {
        guard case .nothing(let rest) = decision else { return nil }
        return rest.reason
    }

    private func merge(_ digests: Digests, new: [JSONValue], cause: String? = nil) -> [String: JSONValue] {
        var details: [String: JSONValue] = [
            "inputs": .string(digests.both), "context": .string(digests.context),
            "tasks": .object(["a": "digest-a", "b": "digest-b"]), "new": .array(new),
            "without-new": .string(digests.one),
        ]
        details["cause"] = cause.map { .string($0) }
        return details
    }

    private static let others: [MergeSettings] = {
        var steps = MergeSettings()
        steps.steps = 7
        var ridge = MergeSettings()
        ridge.ridge = 0.1
        var start = MergeSettings()
        start.start = .calibrated
        return [steps, ridge, start]
    }()

    @Test(arguments: versions) func keepsHoldAcrossUpgrade(_ digests: Digests) {
        var memory = PlannerMemory()
        let held: JSONValue = .object([
            "context": .string(digests.context), "tasks": .object(["a": "digest-a", "b": "digest-b"]),
        ])
        memory.apply(LedgerEvent(.rolledBack, version: 3, message: "back", details: ["held": held]))
        let deployed = Samples.record([a], version: 3)
        #expect(reason(decide(deployed, memory)) == .held)
        for other in Self.others { #expect(reason(decide(deployed, memory, settings: other)) == nil) }
    }

    @Test(arguments: versions) func keepsSetAsideTaskAcrossUpgrade(_ digests: Digests) {
        var memory = PlannerMemory()
        memory.apply(LedgerEvent(.gated, message: "worse", details: merge(digests, new: ["b"])))
        let deployed = Samples.record([a])
        #expect(reason(decide(deployed, memory)) == .upToDate)
        for other in Self.others { #expect(reason(decide(deployed, memory, settings: other)) == nil) }
    }

    @Test(arguments: versions) func keepsRefusalAcrossUpgrade(_ digests: Digests) {
        var memory = PlannerMemory()
        memory.apply(LedgerEvent(.gated, message: "worse", details: merge(digests, new: [])))
        let deployed = Samples.record([a, b, Samples.task("c")])
        #expect(reason(decide(deployed, memory)) == .refused)
        for other in Self.others { #expect(reason(decide(deployed, memory, settings: other)) == nil) }
    }

    @Test(arguments: versions) func keepsBlockAcrossUpgrade(_ digests: Digests) {
        var memory = PlannerMemory()
        let details = merge(digests, new: ["a", "b"], cause: "bad-base")
        memory.apply(LedgerEvent(.mergeFailed, message: "no graph", details: details))
        #expect(reason(decide(nil, memory)) == .blocked)
        for other in Self.others { #expect(reason(decide(nil, memory, settings: other)) == nil) }
    }

    /// Four failures under the older digest and one under this version's make five.
    @Test(arguments: versions) func countsFailuresAcrossUpgrade(_ digests: Digests) throws {
        var memory = PlannerMemory()
        for _ in 0..<4 {
            memory.apply(
                LedgerEvent(.mergeFailed, message: "crash", details: merge(digests, new: ["b"], cause: "crash")))
        }
        let deployed = Samples.record([a])
        guard case .merge(let request) = decide(deployed, memory) else {
            Issue.record("nothing is merged")
            return
        }
        var details = MergeDetails(request).ledgerDetails
        details["cause"] = "crash"
        memory.apply(LedgerEvent(.mergeFailed, message: "crash", details: details))
        #expect(reason(decide(deployed, memory)) == .upToDate)
    }

    /// An upgrade alone starts no merge.
    @Test func keepsReleaseOfOlderVersionAcrossUpgrade() throws {
        var record = Samples.record([a, b], settings: .defaults(ofVersion: 1))
        record.settingsVersion = nil
        var text = String(decoding: try JSON.encode(record), as: UTF8.self)
        #expect(text.contains(#","start":"task-vectors""#))
        text.replace(#","start":"task-vectors""#, with: "")
        let older = try JSON.decode(ReleaseRecord.self, from: .init(text.utf8))
        #expect(older.settings.start == .taskVectors && older.settingsVersion == nil)
        #expect(reason(decide(older, PlannerMemory())) == .upToDate)
        for other in Self.others { #expect(reason(decide(older, PlannerMemory(), settings: other)) == nil) }
    }
}
