import Control
import Crypto
import Files
import Foundation
import Ledger
import Releases
import Synchronization
import Testing

@testable import Daemon

extension Reconciler {
    fileprivate func doubt(_ doubt: LedgerIntegrity) { trust.doubt = doubt }
}

/// When nothing is signed over the ledger, and when it is again.
@Suite(.timeLimit(.minutes(20)))
struct DoubtTests {
    private func writeKey(_ path: String) throws {
        try Durable.replace(path, with: Array(P256.Signing.PrivateKey().pemRepresentation.utf8))
        try Durable.changeMode(path, to: 0o600)
    }

    /// A daemon that signs; `isKeyThere`: with a key from the start.
    private func stand(isKeyThere: Bool = true) throws -> DaemonStand {
        var stand = try DaemonStand(Samples.snapshot([]))
        stand.configuration.signing.key = stand.folder + "/key.pem"
        if isKeyThere { try writeKey(stand.configuration.signing.key) }
        return stand
    }

    private func checkpoint(_ stand: DaemonStand) -> String { stand.configuration.deploy + "/LEDGER.sig" }

    private func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    private func doubts(_ daemon: Reconciler) async -> [String] {
        await daemon.health().problems.filter { $0.code == "ledger-doubtful" }.map(\.message)
    }

    /// After a restart.
    private func expectNoDoubt(_ stand: DaemonStand) async throws {
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            #expect(await doubts(daemon) == [])
        }
    }

    /// Notes what the checkpoint is at the moment at which a release is signed and live, and nothing after it is done.
    private func noteAtPublications(_ stand: inout DaemonStand) -> Noted {
        let (path, noted) = (checkpoint(stand), Noted())
        stand.calls.write = { [real = LedgerCalls()] descriptor, bytes in
            if String(decoding: bytes, as: UTF8.self).contains(#""event":"published""#) {
                noted.note((try? Durable.contents(path)) ?? [])
            }
            return real.write(descriptor, bytes)
        }
        return noted
    }

    @Test func whatTheSystemRefusesSaysNothingOfTheLedger() {
        for code in [EMFILE, EIO, EACCES] {
            let error = LedgerError.system(call: "open", path: "/x", errno: code)
            #expect(LedgerIntegrity(ofLedger: error) == .unseen("\(error)"))
            let unread = FilesError.system(call: "open", path: "/x", errno: code)
            for doubt in [LedgerIntegrity(ofLedger: unread), LedgerIntegrity(ofCheckpoint: unread)] {
                #expect(doubt == .unseen("\(unread)"))
                #expect(!doubt.message.contains("is not what was noted of it"))
            }
        }
    }

    @Test func whatIsMissingOrAnotherIsNotWhatWasNoted() {
        let errors: [LedgerError] = [
            .system(call: "open", path: "/x", errno: ENOENT), .broken(path: "/x", line: 1, reason: "r"),
            .cutOff(path: "/x", entries: 1, noted: 2, source: "s"), .replaced(path: "/x", entries: 1, source: "s"),
        ]
        for error in errors { #expect(LedgerIntegrity(ofLedger: error) == .contents("\(error)")) }
        let damage = FilesError.notRegular(path: "/x")
        #expect(LedgerIntegrity(ofCheckpoint: damage) == .checkpoint("\(damage)"))
    }

    @Test func whatCouldNotBeLookedAtIsLookedAtAgain() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        try await stand.live { daemon in
            stand.drop("a")
            _ = await daemon.rescan(wait: true)
            await daemon.doubt(.unseen("too many open files"))
            _ = await daemon.rescan(wait: true)
            #expect(await doubts(daemon) == [])
            await daemon.doubt(.contents("cut off"))
            _ = await daemon.rescan(wait: true)
            #expect(await doubts(daemon).count == 1, "that does not pass")
        }
    }

    @Test func aCheckpointThatIsPutBackIsTakenWithoutARestart() async throws {
        let stand = try stand()
        defer { stand.remove() }
        stand.drop("a")
        try await stand.live { _ = await $0.rescan(wait: true) }
        let (path, away) = (checkpoint(stand), stand.folder + "/away")
        try Durable.rename(path, to: away)
        try await stand.live { daemon in
            stand.drop("a", "b")
            #expect(await daemon.rescan(wait: true).version == 2)
            #expect(await doubts(daemon).count == 1)
            #expect(!isThere(path))
            let signed = try Durable.contents(away)
            try Durable.rename(away, to: path)
            _ = await daemon.rescan(wait: true)
            #expect(await doubts(daemon) == [])
            let now = try Durable.contents(path)
            #expect(now != signed, "signed anew, up to where the ledger is")
        }
        #expect(try stand.store.release(2).record.ledger == nil)
        try await expectNoDoubt(stand)
    }

    @Test func aCheckpointThatIsPutBackOverACutLedgerEndsNoDoubt() async throws {
        let stand = try stand()
        defer { stand.remove() }
        try await stand.live { daemon in
            stand.drop("a")
            _ = await daemon.rescan(wait: true)
            _ = await daemon.pause()
        }
        let (path, away) = (checkpoint(stand), stand.folder + "/away")
        try Durable.rename(path, to: away)
        // The pause and the stop go; what release 1 noted is still there.
        let lines = try Durable.contents(stand.configuration.ledger).split(separator: 0x0A)
        try Durable.replace(stand.configuration.ledger, with: lines.dropLast(2).flatMap { $0 + [0x0A] })
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            #expect(await doubts(daemon).first?.contains("LEDGER.sig") == true)
            let signed = try Durable.contents(away)
            try Durable.rename(away, to: path)
            _ = await daemon.rescan(wait: true)
            #expect(await doubts(daemon).first?.hasPrefix("the ledger is not what was noted of it") == true)
            let now = try Durable.contents(path)
            #expect(now == signed)
        }
    }

    /// A crash between a first signed release and the checkpoint after it must not look as if the checkpoint had been
    /// taken away.
    @Test(arguments: [true, false]) func theCheckpointIsSignedBeforeTheFirstRelease(isReloaded: Bool) async throws {
        var stand = try stand(isKeyThere: false)
        defer { stand.remove() }
        let (path, noted) = (checkpoint(stand), noteAtPublications(&stand))
        let configuration = stand.configuration
        stand.drop("a")
        let running = stand
        try await running.live { daemon in
            #expect(await daemon.rescan(wait: true).outcome == .failed, "nothing is published unsigned")
            #expect(!isThere(path))
            try writeKey(configuration.signing.key)
            if isReloaded {
                await daemon.reload(.success(configuration))
                #expect(isThere(path))
            }
            _ = await daemon.retry("a")
            #expect(await daemon.rescan(wait: true).version == 1)
            #expect(await doubts(daemon) == [])
        }
        #expect(noted.all.map(\.isEmpty) == [false])
        let isSigned = try running.store.isSigned(1)
        #expect(isSigned)
    }

    @Test func aKeyThatIsExchangedUnderTheDaemonSignsTheCheckpointBeforeItsFirstRelease() async throws {
        var stand = try stand()
        defer { stand.remove() }
        let (path, noted) = (checkpoint(stand), noteAtPublications(&stand))
        let running = stand
        try await running.live { daemon in
            running.drop("a")
            _ = await daemon.rescan(wait: true)
            let signed = try Durable.contents(path)
            try writeKey(running.configuration.signing.key)
            running.drop("a", "b")
            #expect(await daemon.rescan(wait: true).version == 2)
            #expect(noted.all.count == 2 && noted.all.last != signed)
        }
        try await expectNoDoubt(running)
    }

    @Test func aFreshStartIsNamedAndAccepted() async throws {
        let stand = try stand()
        defer { stand.remove() }
        stand.drop("a")
        try await stand.live { _ = await $0.rescan(wait: true) }
        try Durable.remove(stand.configuration.deploy)
        try await stand.live { daemon in
            #expect(await daemon.rescan(wait: true).version == 1)
            #expect(await doubts(daemon).first?.contains("the deploy directory was emptied on purpose") == true)
            let reply = await daemon.acceptLedger()
            #expect(reply.outcome == .done, "\(reply.message)")
            #expect(await doubts(daemon) == [])
        }
        try await expectNoDoubt(stand)
    }

    /// What was found, in order.
    private final class Noted: Sendable {
        private let values = Mutex<[[UInt8]]>([])
        var all: [[UInt8]] { values.withLock(\.self) }
        func note(_ value: [UInt8]) { values.withLock { $0.append(value) } }
    }
}
