import Foundation
import Glibc
import Ledger
import Reliability
import Testing

/// Faults of the real worker under the real daemon.
@Suite struct RealWorkerFaultTests {
    private static let forbidden = ["no reason given", "the release gone", "a good arrival not deployed"]

    /// The worker is ended from outside in the middle of a fit; the daemon waits a moment and tries again.
    @Test(arguments: [SIGKILL, SIGSEGV]) func endedBySignal(signal: Int32) throws {
        let name = signal == SIGKILL ? "SIGKILL" : "SIGSEGV"
        let tally = OutcomeCounter(
            "workers-real-\(name)", "the real worker ended by \(name) in the middle of a fit", forbidden: Self.forbidden
        )
        let site = try Site(steps: 5)
        try site.drop("amber")
        let daemon = try site.start()
        try site.settle()
        site.merge["steps"] = "100000"
        site.merge["patience"] = "100000"
        site.merge["learning-rate"] = "1e-6"
        site.merge["evaluate-every"] = "1000"
        try site.writeConfiguration()
        try site.drop("birch")
        daemon.process.signal(SIGHUP)
        let watch = try site.ledgerWatch()
        try watch.wait(for: "a worker that fits") {
            guard let merge = try site.ledger(.mergeStarted).dropFirst().last?.merge else { return false }
            return try daemon.worker != nil && site.ledger(.mergeProgress).contains { $0.merge == merge }
        }
        Glibc.kill(try #require(daemon.worker), signal)
        try watch.wait(for: "the failure") { try !site.ledger(.mergeFailed).isEmpty }
        let failure = try #require(try site.ledger(.mergeFailed).last)
        let reason = signal == SIGKILL ? "SIGKILL" : "signal \(SIGSEGV)"
        #expect(failure.message.contains(reason), "\(failure.message)")
        tally.note(failure.message.contains(reason) ? "one merge failed with its reason" : "no reason given")
        if site.current != "versions/1" { tally.note("the release gone") }
        site.merge["steps"] = "5"
        try site.writeConfiguration()
        daemon.process.signal(SIGHUP)
        try site.drop("cedar")
        try site.settle()
        let tasks = try site.release()?.record.tasks.map(\.name)
        #expect(tasks == ["amber", "birch", "cedar"])
        tally.note(
            tasks == ["amber", "birch", "cedar"] ? "the next good arrival deployed" : "a good arrival not deployed")
        #expect(try daemon.stop() == 0)
        #expect(tally.isGood)
        try tally.write()
    }

    /// The deploy directory's file system is full while the worker writes, and has room again later.
    @Test func theDiskIsFull() throws {
        let tally = OutcomeCounter(
            "workers-real-full-disk", "the real worker on a full file system, and again with room",
            forbidden: Self.forbidden)
        guard let disk = try SmallDisk(bytes: 2 << 20) else {
            try Skip.note("no small file system can be mounted here (needs the privilege to mount)")
            return
        }
        let site = try Site.quick()
        site.keys["deploy"] = disk.path + "/deploy"
        try site.writeConfiguration()
        var content = ["amber": try site.dropNoisy("amber", seed: 1)]
        let daemon = try site.start()
        let deployed = { () throws -> String? in
            try? FileManager.default.destinationOfSymbolicLink(atPath: disk.path + "/deploy/current")
        }
        let watch = try site.ledgerWatch()
        try watch.wait(for: "the first release") { try site.ledger(.published).count == 1 }
        for (round, blocks) in [0, 1, 4, 12, 20].enumerated() {
            let before = try deployed()
            let failures = try site.ledger(.mergeFailed).count
            try disk.fill(leaving: blocks)
            content["birch"] = try site.dropNoisy("birch", seed: UInt64(10 + round))
            try watch.wait(for: "the failure") { try site.ledger(.mergeFailed).count > failures }
            let failure = try #require(try site.ledger(.mergeFailed).last)
            #expect(failure.message.contains("No space left"), "\(failure.message)")
            tally.note(
                failure.message.contains("No space left") ? "one merge failed with its reason" : "no reason given")
            if try deployed() != before { tally.note("the release gone") }
            try disk.empty()
            try watch.wait(for: "the release") { try site.ledger(.published).count == round + 2 }
            let verified = try site.control("verify")
            #expect(verified.status == 0, "\(verified.output)")
            tally.note(verified.status == 0 ? "deployed once there was room" : "a good arrival not deployed")
        }
        #expect(try daemon.stop() == 0)
        #expect(tally.isGood)
        try tally.write()
    }

    /// The worker hangs: ten seconds is the least patience that can be configured.
    @Test(.enabled(if: TestBudget.isFull, "takes half a minute")) func itHangs() throws {
        let tally = OutcomeCounter(
            "workers-real-hung", "the real worker stopped (SIGSTOP) in the middle of a fit", forbidden: Self.forbidden)
        let site = try Site(steps: 100_000, merge: ["patience": "100000", "learning-rate": "1e-6"])
        site.keys["patience"] = "10s"
        try site.writeConfiguration()
        try site.drop("amber")
        let daemon = try site.start()
        let watch = try site.ledgerWatch()
        try watch.wait(for: "a worker that fits") { daemon.worker != nil }
        let worker = try #require(daemon.worker)
        Glibc.kill(worker, SIGSTOP)
        try watch.wait(for: "the failure") { try !site.ledger(.mergeFailed).isEmpty }
        let message = try site.ledger(.mergeFailed).last?.message ?? ""
        #expect(message.contains("said nothing"), "\(message)")
        #expect(Await.end(of: worker))
        tally.note(message.contains("said nothing") ? "one merge failed with its reason" : "no reason given")
        site.merge["steps"] = "5"
        try site.writeConfiguration()
        daemon.process.signal(SIGHUP)
        try site.settle()
        tally.note(site.current == "versions/1" ? "the next good arrival deployed" : "a good arrival not deployed")
        #expect(try daemon.stop() == 0)
        #expect(tally.isGood)
        try tally.write()
    }
}
