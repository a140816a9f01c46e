import Files
import Foundation
import Ledger
import Releases
import Testing

@testable import Daemon

/// What a start finds under `current`, against what the ledger says is deployed.
@Suite(.timeLimit(.minutes(20)))
struct RecoveryTests {
    /// A daemon that has published two releases and stopped.
    private func stand() async throws -> DaemonStand {
        let stand = try DaemonStand(Samples.snapshot([]))
        try await stand.live { daemon in
            for tasks in [["a"], ["a", "b"]] {
                stand.registry.set(Samples.snapshot(tasks.map { Samples.task($0) }, base: stand.base()))
                _ = await daemon.rescan(wait: true)
            }
        }
        #expect(try stand.store.current()?.version == 2)
        return stand
    }

    private func recovered(_ stand: DaemonStand) throws -> [LedgerEntry] {
        try Ledger.entries(path: stand.configuration.ledger).filter { $0.event == .recovered }
    }

    private func point(_ stand: DaemonStand, at version: Int) throws {
        try Durable.pointLink(stand.configuration.deploy + "/current", at: "versions/\(version)")
    }

    @Test func aMissingCurrentIsPutBackAndSaidSo() async throws {
        let stand = try await stand()
        defer { stand.remove() }
        try Durable.remove(stand.configuration.deploy + "/current")
        try await stand.live { #expect(await $0.rescan(wait: true).version == 2) }
        let entries = try recovered(stand)
        #expect(entries.map(\.message) == ["`current` was missing; release 2 is deployed again"])
        #expect(entries.first?.version == 2)
        #expect(stand.worker.plans.count == 2, "nothing is merged anew, and nothing gated against the base alone")
        try await stand.live { _ = await $0.rescan(wait: true) }
        #expect(try recovered(stand).count == 1, "once")
    }

    @Test func aCurrentThatSomebodyMovedIsSaidSoInEitherDirection() async throws {
        let stand = try await stand()
        defer { stand.remove() }
        // Paused, so that nothing else is published than what somebody points at.
        try await stand.live { _ = await $0.pause() }
        for (version, last) in [(1, 2), (2, 1)] {
            try point(stand, at: version)
            try await stand.live { #expect(await $0.rescan(wait: true).version == version) }
            let entry = try #require(try recovered(stand).last)
            let word = "where the ledger's last word is release \(last)"
            #expect(entry.message == "current was found at release \(version), \(word)")
            #expect(entry.version == version && entry.details["expected"] == .integer(last))
        }
        let published = try await stand.kinds().filter { $0 == .published }
        #expect(published.count == 2, "what the ledger knows is not entered as published again")
    }

    @Test func aDamagedRecordUnderCurrentDoesNotKeepTheDaemonDown() async throws {
        let stand = try await stand()
        defer { stand.remove() }
        let damaged = stand.configuration.deploy + "/versions/2"
        try Durable.changeMode(damaged, to: 0o750)
        try Durable.replace(damaged + "/release.json", with: [])
        // It merges again what release 1 lacks.
        try await stand.live { #expect(await $0.rescan(wait: true).version == 3) }
        let entry = try #require(try recovered(stand).first)
        #expect(entry.message.hasSuffix("release 1 is deployed now, where the ledger's last word is release 2"))
        #expect(entry.message.contains("damaged") && entry.event.priority == 3)
    }

    /// What the operator went back from does not come back by a start, hooks and all.
    @Test(arguments: [true, false]) func aDamagedRollbackIsNotReplacedByWhatWasRejected(isLost: Bool) async throws {
        let stand = try await stand()
        defer { stand.remove() }
        try await stand.live { daemon in
            stand.drop("a", "b", "c")
            #expect(await daemon.rescan(wait: true).version == 3)
            #expect(await daemon.rollback(to: 1).version == 4)
        }
        let damaged = stand.configuration.deploy + "/versions/4"
        try Durable.changeMode(damaged, to: 0o750)
        if isLost {
            try Durable.remove(damaged)
        } else {
            try Durable.replace(damaged + "/release.json", with: [])
        }
        try await stand.live { daemon in
            #expect(await daemon.rescan(wait: true).version == 1)
            #expect(await daemon.health().problems.map(\.code) == ["held"])
        }
        let entry = try #require(try recovered(stand).first)
        #expect(entry.version == 1)
        #expect(entry.message.hasSuffix("release 1 is deployed now, where the ledger's last word is release 4"))
        #expect(stand.worker.plans.count == 3, "held: nothing is merged anew")
    }

    @Test func whereEverythingWasRemovedItBeginsAnewAndSaysSo() async throws {
        let stand = try await stand()
        defer { stand.remove() }
        try Durable.remove(stand.configuration.deploy)
        try await stand.live { #expect(await $0.rescan(wait: true).version == 1) }
        let entry = try #require(try recovered(stand).first)
        #expect(entry.message == "current was found at no release, where the ledger's last word is release 2")
        #expect(entry.version == nil)
    }

    @Test func entriesCarryTheDigestOfTheirRelease() async throws {
        let stand = try await stand()
        defer { stand.remove() }
        try await stand.live { #expect(await $0.rollback(to: 1).version == 3) }
        try point(stand, at: 2)
        try await stand.live { _ = await $0.pause() }
        let entries = try Ledger.entries(path: stand.configuration.ledger)
        let kinds: [LedgerEvent.Kind] = [.published, .rolledBack, .recovered]
        for entry in entries where kinds.contains(entry.event) {
            let release = try stand.store.release(#require(entry.version))
            #expect(entry.details["digest"] == .string(release.digest), "\(entry.message)")
        }
        #expect(Set(entries.map(\.event)).isSuperset(of: kinds))
    }
}
