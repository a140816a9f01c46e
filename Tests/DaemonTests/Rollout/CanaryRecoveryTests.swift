import Control
import Files
import Foundation
import Ledger
import Releases
import Reliability
import Testing
import WorkerProtocol

@testable import Daemon

/// Restarts during a trial, at every state that a crash leaves.
@Suite(.timeLimit(.minutes(20)))
struct CanaryRecoveryTests {
    /// Release 1 is deployed, release 2 the candidate, and its daemon has stopped.
    private func stand() async throws -> DaemonStand {
        var stand = try DaemonStand(Samples.snapshot([]))
        stand.drop("a")
        try await stand.live { _ = await $0.rescan(wait: true) }
        stand.configuration.rollout.strategy = .canary
        stand.configuration.rollout.check = .byHand
        stand.drop("a", "b")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            #expect(await daemon.status().rollout?.version == 2)
        }
        return stand
    }

    private func entries(_ stand: DaemonStand) throws -> [LedgerEntry] {
        try Ledger.entries(path: stand.configuration.ledger)
    }

    /// Cuts the ledger before the first entry of a kind, as a crash before it was written.
    private func cut(_ stand: DaemonStand, before kind: LedgerEvent.Kind) throws {
        let path = stand.configuration.ledger
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let kept = lines.prefix { !$0.contains("\"event\":\"\(kind.rawValue)\"") }
        try Data((kept.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: path))
    }

    /// As a daemon does before it acts on a check that says no.
    private func enterFailure(_ stand: DaemonStand) async throws {
        let ledger = try Ledger(path: stand.configuration.ledger)
        try await ledger.append(
            LedgerEvent(
                .checkFailed, version: 2, message: "the check of release 2 failed: 0.3",
                details: ["answer": "0.3", "taken-back": .bool(true)]))
    }

    private func expect(
        _ stand: DaemonStand, rollout: Int?, deployed: Int?, at location: SourceLocation = #_sourceLocation
    ) async throws {
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            let status = await daemon.status()
            #expect(
                status.rollout?.version == rollout && status.deployed?.version == deployed,
                "\(String(describing: status.rollout)) \(String(describing: status.deployed))",
                sourceLocation: location)
        }
    }

    @Test func aRestartGoesOnWithTheTrial() async throws {
        let stand = try await stand()
        defer { stand.remove() }
        try await expect(stand, rollout: 2, deployed: 1)
        #expect(try entries(stand).filter { $0.event == .canaryStarted }.count == 1)
    }

    @Test func aCandidateThatTheLedgerMissesIsEntered() async throws {
        let stand = try await stand()
        defer { stand.remove() }
        try cut(stand, before: .canaryStarted)
        try await expect(stand, rollout: 2, deployed: 1)
        let entry = try #require(try entries(stand).first { $0.event == .canaryStarted })
        #expect(entry.message.hasSuffix("(found after a restart)"))
        #expect(entry.details["new"]?.elements.compactMap(\.text) == ["b"])
        try await stand.live { daemon in
            #expect(await daemon.reject(2).outcome == .done)
            _ = await daemon.rescan(wait: true)
            #expect(await daemon.status().tasks.first { $0.name == "b" }?.state == .setAside)
        }
    }

    /// `current` was switched, and the entry not written; with and without the link that is removed last.
    @Test(arguments: [true, false]) func aPromotionThatTheLedgerMissesIsEntered(isLinkThere: Bool) async throws {
        let stand = try await stand()
        defer { stand.remove() }
        try Durable.pointLink(stand.configuration.deploy + "/current", at: "versions/2")
        if !isLinkThere { try Durable.remove(stand.configuration.deploy + "/candidate") }
        try await expect(stand, rollout: nil, deployed: 2)
        #expect(try Durable.linkTarget(stand.configuration.deploy + "/candidate") == nil)
        let entries = try entries(stand)
        #expect(
            entries.contains { $0.event == .promoted && $0.version == 2 }
                && !entries.contains { $0.event == .recovered })
        #expect(stand.store.faultOfCurrent() == nil)
    }

    @Test func aRejectionThatTheLedgerMissesIsEnteredWithItsReason() async throws {
        let stand = try await stand()
        defer { stand.remove() }
        try await enterFailure(stand)
        try Durable.remove(stand.configuration.deploy + "/candidate")
        try await expect(stand, rollout: nil, deployed: 1)
        let entry = try #require(try entries(stand).last { $0.event == .rejected })
        #expect(entry.message == "release 2 rejected: the check failed: 0.3 (found after a restart)")
    }

    /// Stopped between the entry of the failure and what it leads to: the next start does it.
    @Test func aFailureIsActedOnAfterARestart() async throws {
        var stand = try await stand()
        defer { stand.remove() }
        try await enterFailure(stand)
        stand.configuration.rollout.check = .call(.command(["/check"]))
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            #expect(await daemon.status().rollout == nil)
        }
        #expect(try Durable.linkTarget(stand.configuration.deploy + "/candidate") == nil)
        #expect(
            try entries(stand).last { $0.event == .rejected }?.message == "release 2 rejected: the check failed: 0.3")
    }

    /// A start never falls back to what was not promoted, whatever becomes of `current`.
    @Test func aLostCurrentIsNotReplacedByTheCandidate() async throws {
        for isRejected in [false, true] {
            let stand = try await stand()
            defer { stand.remove() }
            if isRejected { try await stand.live { #expect(await $0.reject(2).outcome == .done) } }
            try Durable.remove(stand.configuration.deploy + "/current")
            try Durable.remove(stand.configuration.deploy + "/CURRENT.json")
            try await expect(stand, rollout: isRejected ? nil : 2, deployed: 1)
        }
    }

    /// Each change of the deploy directory that publishing a candidate, promoting and rejecting make is the last one
    /// before the power goes: a start then finds the old release, the candidate or the new one.
    @Test func everyCrashPointLeavesOldCandidateOrNew() async throws {
        let stand = try await stand()
        defer { stand.remove() }
        let steps: [(name: String, run: @Sendable (ReleaseStore) throws -> Void)] = [
            ("promote", { _ = try $0.promoteCandidate(2) }), ("reject", { try $0.dropCandidate() }),
            (
                "publish",
                { store in
                    let record = try store.release(2).record
                    let staging = try store.makeStaging(merge: "again")
                    for name in ["model.safetensors"] {
                        let bytes = try Durable.contents("\(store.deploy)/versions/2/\(name)")
                        let file = try WritableFile(creating: "\(staging)/\(name)")
                        try file.append(bytes)
                        try file.finish(sync: false)
                    }
                    var fresh = record
                    fresh.result.outputs.removeAll { $0.name != "model.safetensors" }
                    _ = try store.publish(
                        staging: staging, baseDirectory: stand.configuration.registry + "/base", record: fresh,
                        isCandidate: true)
                }
            ),
        ]
        for (name, run) in steps {
            var point = 0
            while true {
                let copy = NSTemporaryDirectory() + "canary-\(UUID().uuidString)"
                let process = try Process.run(
                    URL(filePath: "/bin/cp"), arguments: ["-a", stand.configuration.deploy, copy])
                process.waitUntilExit()
                let trial = ReleaseStore(deploy: copy)
                let count = CallCounter()
                let stop = point
                let stops: @Sendable (FileMutation) throws(FilesError) -> Void = { mutation throws(FilesError) in
                    if count.next() >= stop {
                        throw FilesError.system(call: "power", path: mutation.path, errno: 5)
                    }
                }
                FileMutation.$interceptor.withValue(stops) { _ = try? run(trial) }
                let repair = try trial.repair()
                let (current, candidate) = (repair.release?.version, repair.candidate?.version)
                let expected: [(Int?, Int?)] =
                    switch name {
                    case "promote": [(1, 2), (2, nil)]
                    case "reject": [(1, 2), (1, nil)]
                    default: [(1, 2), (1, 3)]
                    }
                #expect(
                    expected.contains { $0 == (current, candidate) },
                    "\(name), point \(stop): current \(current ?? 0), candidate \(candidate ?? 0)")
                #expect(trial.faultOfCurrent() == nil, "\(name), point \(stop)")
                let isWhole = count.value <= stop
                try? Durable.remove(copy)
                if isWhole { break }
                point += 1
            }
            #expect(point > (name == "reject" ? 1 : 5), "\(name)")
        }
    }
}
