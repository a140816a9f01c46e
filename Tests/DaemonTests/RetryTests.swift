import Control
import Ledger
import Registry
import Testing
import WorkerProtocol

@testable import Daemon

/// What `retry TASK` says and does.
@Suite(.timeLimit(.minutes(20)))
struct RetryTests {
    private func retries(_ daemon: Reconciler) async throws -> Int {
        try await daemon.history(last: nil).count { $0.details["action"] == "retry" }
    }

    @Test func aTaskThatIsNotSetAsideIsNotSaidToBeTried() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        var snapshot = Samples.snapshot([Samples.task("a")], base: stand.base())
        snapshot.tasks["broken"] = .refused(Refusal(code: "x", message: "its header is garbage", fingerprint: "f"))
        snapshot.tasks["late"] = .arriving("not yet still")
        stand.registry.set(snapshot)
        try await stand.live { daemon in
            while await daemon.status().deployed?.version != 1 { try await turn() }
            for (task, words) in [
                ("a", "it is deployed"), ("broken", "its header is garbage"), ("late", "not yet still"),
            ] {
                let reply = await daemon.retry(task)
                #expect(reply.outcome == (task == "broken" ? .failed : .done), "\(reply)")
                #expect(reply.message.hasPrefix("task \(task) is not set aside: "), "\(reply)")
                #expect(reply.message.contains(words), "\(reply.message)")
            }
            #expect(await daemon.retry("nobody").outcome == .failed)
            let noted = try await retries(daemon)
            #expect(noted == 0, "nothing was done")
        }
        #expect(stand.worker.plans.count == 1)
    }

    @Test func aTaskThatTheGateSetAsideIsTriedAgain() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("bad")
        stand.worker.behave { .finished(FakeWorker.result($0, values: ["bad": 0.1])) }
        try await stand.live { daemon in
            #expect(await daemon.rescan(wait: true).outcome == .refused)
            #expect(await daemon.status().tasks.map(\.state) == [.setAside])
            stand.worker.behave(FakeWorker.succeed)
            #expect(await daemon.retry("bad").message == "task bad is tried again")
            #expect(await daemon.rescan(wait: true).version == 1)
            #expect(await daemon.retry("bad").message.contains("it is deployed"))
            let noted = try await retries(daemon)
            #expect(noted == 1)
        }
    }

    /// Set aside with the content that it had, it is not set aside with another.
    @Test func aTaskThatChangedSinceIsNotSetAside() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("bad")
        stand.worker.behave { .finished(FakeWorker.result($0, values: ["bad": 0.1])) }
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            _ = await daemon.pause()
            stand.registry.set(Samples.snapshot([Samples.task("bad", "changed")], base: stand.base()))
            _ = await daemon.rescan(wait: true)
            let reply = await daemon.retry("bad")
            #expect(reply.message == "task bad is not set aside: it waits for the next merge", "\(reply.message)")
        }
    }

    /// A back-off has no task to its name; whoever asks for any of its tasks ends it.
    @Test func aMergeThatWaitsAfterAFailureIsTriedAgain() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        stand.worker.behave { _ in .crashed("once") }
        try await stand.live { daemon in
            #expect(await daemon.rescan(wait: true).outcome == .failed)
            stand.worker.behave(FakeWorker.succeed)
            let reply = await daemon.retry("a")
            #expect(reply.message == "task a was not set aside; what failed or was refused is tried again", "\(reply)")
            #expect(await daemon.rescan(wait: true).version == 1)
            let noted = try await retries(daemon)
            #expect(noted == 1)
        }
    }
}
