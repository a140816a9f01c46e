import Control
import Foundation
import Ledger
import Logging
import Reliability
import Testing
import WorkerProtocol

@testable import Daemon

/// Workers that are real processes and go wrong in every way while a certain task is among those that they merge.
@Suite(.timeLimit(.minutes(20)))
struct WorkerFaultTests {
    enum Fault: String, CaseIterable, Sendable {
        case killed, crashed, hung, silent, nonsense, fullDisk = "full-disk", lying

        /// What the worker does once it has its plan.
        func script(_ output: String) -> String {
            switch self {
            case .killed: "kill -9 $$"
            case .crashed: "kill -SEGV $$"
            case .hung: "exec sleep 1000"
            case .silent: "exit 0"
            case .nonsense: "head -c 1000000 /dev/urandom; echo; echo '{\"event\":\"finished\"}'; exit 3"
            case .fullDisk:
                "dd if=/dev/zero of='\(output)/model.safetensors' bs=64k count=4096 2> words; head -n 1 words >&2; "
                    + "exit 1"
            case .lying: ""  // Says that it has finished, and has written nothing.
            }
        }

        /// What the ledger has to say.
        var reason: String {
            switch self {
            case .killed: "SIGKILL"
            case .crashed: "signal 11"
            case .hung: "said nothing"
            case .silent: "without a result"
            case .nonsense: "status 3"
            case .fullDisk: "No space left"
            case .lying: "missing"
            }
        }

        var words: String {
            switch self {
            case .killed: "is killed (SIGKILL), as by the kernel for memory"
            case .crashed: "dies of SIGSEGV"
            case .hung: "hangs"
            case .silent: "ends without a word"
            case .nonsense: "prints nonsense and fails"
            case .fullDisk: "fills the disk of the deploy directory"
            case .lying: "says that it has finished and has written nothing"
            }
        }
    }

    private static func merge(_ plan: MergePlan, _ fault: Fault) async -> WorkerOutcome {
        guard plan.tasks.contains(where: { $0.name == "bad" }) else { return await FakeWorker.succeed(plan) }
        do {
            var script = fault.script(plan.output)
            if fault == .lying {
                let result = FakeWorker.result(plan, values: [:])
                try FileManager.default.removeItem(atPath: plan.output + "/model.safetensors")
                script = try FakeWorkerProgram.say(.finished(result))
            }
            let program = try FakeWorkerProgram(script)
            return await WorkerSupervisor(
                executable: program.path, patience: fault == .hung ? .milliseconds(300) : .endless,
                grace: .milliseconds(50), mark: nil, clock: ContinuousClock(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            ).merge(plan) { _ in }
        } catch {
            return .crashed("the test's own worker: \(error)")
        }
    }

    @Test(arguments: Fault.allCases) func oneMergeFailsAndNothingElse(fault: Fault) async throws {
        let tally = OutcomeCounter(
            "workers-\(fault.rawValue)", "a worker that \(fault.words), at every merge that has a certain task in it",
            forbidden: ["no reason given", "the release gone", "a good arrival not deployed"])
        var stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        let disk = fault == .fullDisk ? try SmallDisk(bytes: 4 << 20) : nil
        if fault == .fullDisk {
            guard let disk else {
                try Skip.note("no small file system can be mounted here (needs the privilege to mount)")
                return
            }
            stand.configuration.deploy = disk.path + "/deploy"
        }
        stand.retryDelay = { _ in .zero }
        stand.worker.behave { await Self.merge($0, fault) }
        try await stand.live { daemon in
            stand.drop("a")
            try #require(await daemon.rescan(wait: true).version == 1)

            stand.drop("a", "bad")
            let reply = await daemon.rescan(wait: true)
            #expect(reply.outcome == .failed && reply.version == 1, "\(reply.message)")
            let failures = try await daemon.history(last: nil).filter { $0.event == .mergeFailed }
            #expect(failures.count == PlannerMemory.failureLimit)
            for failure in failures {
                #expect(failure.message.contains(fault.reason), "\(failure.message)")
                tally.note(
                    failure.message.contains(fault.reason) ? "one merge failed with its reason" : "no reason given")
            }
            #expect(try stand.store.verify(1) == [])
            if try stand.store.current()?.version != 1 { tally.note("the release gone") }
            let aside = await daemon.status().tasks.first { $0.name == "bad" }
            #expect(aside?.state == .setAside && aside?.message.contains(fault.reason) == true)
            #expect(await daemon.health().problems.contains { $0.code == "task-set-aside" })

            stand.drop("a", "bad", "c")
            let next = await daemon.rescan(wait: true)
            #expect(next.version == 2, "\(next.message)")
            let tasks = try stand.store.current()?.record.tasks.map(\.name)
            #expect(tasks == ["a", "c"])
            tally.note(tasks == ["a", "c"] ? "the next good arrival deployed" : "a good arrival not deployed")

            // Unchanged it stays aside; on an operator's word it is tried, and again fails as often.
            _ = await daemon.rescan(wait: true)
            let before = try await daemon.history(last: nil).filter { $0.event == .mergeFailed }.count
            #expect(before == failures.count)
            #expect(await daemon.retry("bad").message == "task bad is tried again")
            _ = await daemon.rescan(wait: true)
            #expect(await daemon.status().tasks.first { $0.name == "bad" }?.state == .setAside)
            let after = try await daemon.history(last: nil).filter { $0.event == .mergeFailed }.count
            #expect(after == 2 * before)

            // Changed, it is tried with its new content.
            stand.worker.behave(FakeWorker.succeed)
            stand.registry.set(
                Samples.snapshot(
                    [Samples.task("a"), Samples.task("bad", "changed"), Samples.task("c")], base: stand.base()))
            #expect(await daemon.rescan(wait: true).version == 3)
            let all = try stand.store.current()?.record.tasks.map(\.name)
            #expect(all == ["a", "bad", "c"])
            tally.note(all == ["a", "bad", "c"] ? "tried again once it changed" : "a good arrival not deployed")
        }
        #expect(try await stand.kinds().last == .stopped)
        #expect(tally.isGood)
        try tally.write()
    }

    @Test func theKernelKillsAWorkerForMemory() async throws {
        guard let cage = try CgroupLimit(bytes: 64 << 20) else {
            return try Skip.note("no memory cgroup can be made here (needs root and a writable hierarchy)")
        }
        let tally = OutcomeCounter(
            "workers-out-of-memory", "a worker that wants more memory than its cgroup has, killed by the kernel",
            forbidden: ["no reason given", "the release gone", "a good arrival not deployed"])
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.worker.behave { plan in
            guard plan.tasks.contains(where: { $0.name == "bad" }) else { return await FakeWorker.succeed(plan) }
            do {
                let program = try FakeWorkerProgram(cage.wanting(512 << 20))
                return await WorkerSupervisor(
                    executable: program.path, patience: .endless, grace: .milliseconds(50), mark: nil,
                    clock: ContinuousClock(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                ).merge(plan) { _ in }
            } catch {
                return .crashed("the test's own worker: \(error)")
            }
        }
        try await stand.live { daemon in
            stand.drop("a")
            try #require(await daemon.rescan(wait: true).version == 1)

            stand.drop("a", "bad")
            let reply = await daemon.rescan(wait: true)
            #expect(reply.outcome == .failed && reply.version == 1, "\(reply.message)")
            let failures = try await daemon.history(last: nil).filter { $0.event == .mergeFailed }
            #expect(failures.count == 1 && cage.kills == 1)
            let message = failures.first?.message ?? ""
            let isSaid = message.contains("SIGKILL") && message.contains("for memory")
            #expect(isSaid, "\(message)")
            tally.note(isSaid ? "one merge failed with its reason" : "no reason given")
            let faults = try stand.store.verify(1)
            #expect(faults == [])
            if try stand.store.current()?.version != 1 { tally.note("the release gone") }
            #expect(await daemon.health().problems.contains { $0.code == "merge-failing" })

            stand.drop("a", "c")
            let next = await daemon.rescan(wait: true)
            #expect(next.version == 2, "\(next.message)")
            let tasks = try stand.store.current()?.record.tasks.map(\.name)
            #expect(tasks == ["a", "c"])
            tally.note(tasks == ["a", "c"] ? "the next good arrival deployed" : "a good arrival not deployed")
        }
        #expect(tally.isGood)
        try tally.write()
    }

    /// A fault that passes: the arrival that comes meanwhile doesn't wait for the back-off of the one before.
    @Test(arguments: Fault.allCases.filter { $0 != .fullDisk })
    func aFaultThatPassesDelaysNoArrival(fault: Fault) async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.worker.behave { await Self.merge($0, fault) }
        try await stand.live { daemon in
            stand.drop("a")
            _ = await daemon.rescan(wait: true)
            stand.drop("a", "bad")
            #expect(await daemon.rescan(wait: true).outcome == .failed)
            #expect(await daemon.status().activity == .failing)
            #expect(stand.worker.plans.count == 2, "one try, then the back-off")
            stand.worker.behave(FakeWorker.succeed)
            stand.drop("a", "bad", "c")
            #expect(await daemon.rescan(wait: true).version == 2)
        }
        #expect(try stand.store.current()?.record.tasks.map(\.name) == ["a", "bad", "c"])
    }
}
