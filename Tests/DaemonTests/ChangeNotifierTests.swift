import Control
import Foundation
import Ledger
import Testing
import WorkerProtocol

@testable import Daemon

/// What `supermergectl watch` waits on.
@Suite(.timeLimit(.minutes(20)))
struct ChangeNotifierTests {
    /// The present revision, once nothing moves any more.
    private func rest(_ daemon: Reconciler) async throws -> LongPollReply {
        var reply = try await daemon.watch(revision: nil, after: nil)
        while true {
            let next = try await daemon.watch(revision: reply.revision, after: nil, patience: .milliseconds(50))
            if next.revision == reply.revision { return next }
            reply = next
        }
    }

    private func stand(_ body: (Reconciler) async throws -> Void) async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            try await body(daemon)
        }
    }

    @Test func theFirstQuestionIsAnsweredAtOnce() async throws {
        try await stand { daemon in
            let reply = try await daemon.watch(revision: nil, after: nil)
            #expect(reply.status.deployed?.version == 1 && reply.entries.isEmpty && reply.sequence > 0)
            let all = try await daemon.watch(revision: nil, after: -1)
            #expect(all.entries.first?.event == .started && all.entries.count == all.sequence + 1)
            let last = try await daemon.watch(revision: nil, after: -1, last: 2)
            #expect(last.entries == all.entries.suffix(2))
            #expect(try await daemon.watch(revision: nil, after: 1 << 40).entries.isEmpty)
        }
    }

    @Test func whoeverWaitsHearsOfAChange() async throws {
        try await stand { daemon in
            let reply = try await rest(daemon)
            async let news = daemon.watch(revision: reply.revision, after: reply.sequence)
            _ = await daemon.pause()
            #expect(try await news.revision != reply.revision)
            var heard = try await news.entries
            while heard.isEmpty {
                heard = try await daemon.watch(revision: nil, after: reply.sequence).entries
            }
            #expect(heard.map(\.event) == [.operatorAction])
        }
    }

    @Test func withoutAChangeTheAnswerComesAfterAWhile() async throws {
        try await stand { daemon in
            let reply = try await rest(daemon)
            let same = try await daemon.watch(
                revision: reply.revision, after: reply.sequence, patience: .milliseconds(1))
            #expect(same == reply)
        }
    }

    @Test func noMoreThanSomeWait() async throws {
        try await stand { daemon in
            let reply = try await rest(daemon)
            try await withThrowingTaskGroup(of: LongPollReply.self) { group in
                for _ in 0...ChangeNotifier.mostWaiting {
                    group.addTask { try await daemon.watch(revision: reply.revision, after: nil) }
                }
                // The one beyond is answered at once, as it is.
                #expect(try await group.next()?.revision == reply.revision)
                group.cancelAll()
                for try await _ in group {}
            }
        }
    }

    @Test func theDaemonsEndEndsTheWaiting() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        let waiting = try await {
            var task: Task<LongPollReply, any Error>?
            try await stand.live { daemon in
                let reply = try await rest(daemon)
                task = Task { try await daemon.watch(revision: reply.revision, after: nil, patience: .seconds(86_400)) }
            }
            return task
        }()
        _ = try await waiting?.value
    }

    @Test func aRunningMergeShowsItsLooks() {
        let source = Samples.base()
        let request = MergeRequest(
            base: source, tasks: [], inputs: MergeInputs(base: "b", tasks: [:], settings: MergeSettings()),
            name: "", new: [], withoutNew: "")
        var merge = RunningMerge(request: request, plan: FakeWorkerProgram.plan)
        let scores = [HeldOutScore(task: "a", loss: 0.5, metric: "accuracy", value: 0.75)]
        for step in 1...1000 {
            let isLook = step % 2 == 0
            merge.note(
                WorkerEvent.Progress(
                    phase: .fitting, done: step, total: 1000, loss: 1, heldOut: isLook ? 2 : nil,
                    scores: isLook ? scores : nil))
        }
        #expect(merge.scores == scores)
        #expect(merge.curve.count < 256 && merge.curve.first?.step == 2 && merge.curve.last?.step == 1000)
        merge.note(WorkerEvent.Progress(phase: .writing, done: 1, total: 3))
        #expect(merge.progress?.phase == .writing && merge.scores == scores)
    }
}
