import Files
import Foundation
import Ledger
import Releases
import Synchronization
import Testing

@testable import Daemon

/// What a start reads of the ledger.
@Suite(.timeLimit(.minutes(20)))
struct LedgerOpeningTests {
    @Test func readsTheLedgerOnceAtAStart() async throws {
        var stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        try await stand.live { daemon in
            stand.drop("a")
            #expect(await daemon.rescan(wait: true).version == 1)
        }
        let length = try Durable.contents(stand.configuration.ledger, limit: 1 << 24).count
        let counted = Counter()
        stand.calls.noteRead = { counted.add($0) }
        try await stand.live { daemon in
            #expect(await daemon.rescan(wait: true).version == 1)
            #expect(counted.value == length)
            #expect(await daemon.trust.doubt == nil)
            #expect(await daemon.memory.releases.deployed == 1)
        }
    }

    @Test func comparesWhatReleasesNotedOnTheSameWalk() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        try await stand.live { daemon in
            stand.drop("a")
            #expect(await daemon.rescan(wait: true).version == 1)
        }
        let noted = try #require(try LedgerOpening.checkpoints(stand.store).first)
        let opening = try LedgerOpening(stand.configuration, stand.store)
        #expect(opening.digests.cover([noted]))
        try opening.digests.compare([noted], path: "ledger")
        var other = noted
        other.digest = String(repeating: "0", count: 64)
        #expect(throws: LedgerError.self) { try opening.digests.compare([other], path: "ledger") }
        other.entries += 1
        #expect(!opening.digests.cover([other]))
    }
}

private final class Counter: Sendable {
    private let sum = Mutex(0)
    var value: Int { sum.withLock { $0 } }
    func add(_ count: Int) { sum.withLock { $0 += count } }
}
