import Foundation
import Ledger
import Testing
import WorkerProtocol

@testable import Daemon

/// How the tasks were fitted together, as the ledger and the releases tell it.
@Suite(.timeLimit(.minutes(20)))
struct StrategyTests {
    /// One merge under a strategy: the ledger's entries.
    private func entries(_ strategy: MergeSettings.Strategy) async throws -> (DaemonStand, [LedgerEntry]) {
        var stand = try DaemonStand(Samples.snapshot([]))
        stand.configuration.merge.strategy = strategy
        stand.drop("a", "b")
        try await stand.live { #expect(await $0.rescan(wait: true).version == 1) }
        return (stand, try Ledger.entries(path: stand.configuration.ledger))
    }

    @Test func whatAutoCameToIsInTheLedgerWithItsReason() async throws {
        let (stand, entries) = try await entries(.auto)
        defer { stand.remove() }
        let choices = entries.filter { $0.event == .mergeProgress && $0.details["strategy"] != nil }
        let choice = try #require(choices.first)
        #expect(choices.count == 1)
        #expect(choice.message == "merging as hierarchical: 1.0 GiB is more than 0.5 GiB")
        let published = try #require(entries.first { $0.event == .published })
        for entry in [choice, published] {
            #expect(entry.details["strategy"] == .string("hierarchical"))
            #expect(entry.details["strategy-reason"] == .string("1.0 GiB is more than 0.5 GiB"))
        }
        let record = try #require(try stand.store.current()?.record)
        #expect(record.settings.strategy == .auto && record.result.strategy?.strategy == .hierarchical)
    }

    @Test func whatIsSetIsNoNews() async throws {
        let (stand, entries) = try await entries(.joint)
        defer { stand.remove() }
        #expect(!entries.contains { $0.event == .mergeProgress && $0.details["strategy"] != nil })
        let published = try #require(entries.first { $0.event == .published })
        #expect(published.details["strategy"] == .string("joint"))
    }

    @Test func theTreeOutlivesTheMerge() async throws {
        let (stand, _) = try await entries(.hierarchical)
        defer { stand.remove() }
        let plan = try #require(stand.worker.plans.first)
        let tree = try #require(plan.tree)
        #expect(tree.hasPrefix(stand.configuration.state + "/"))
        #expect(!tree.hasPrefix(plan.scratch) && !tree.hasPrefix(plan.output))
    }
}
