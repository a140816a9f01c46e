import Files
import Foundation
import Registry
import Releases
import Reliability
import StoreState
import Testing
import WorkerProtocol

/// Stops and fails a process at every system call of publish, canary, promote, reject, rollback, retirement, repair,
/// append and the task store.
@Suite struct SystemCallTests {
    enum Step: String, CaseIterable, Sendable {
        case publish, canary, promote, reject, rollback, retire, recover, append, keep

        /// What the drill does before, beside `prepare`.
        var preparation: String? {
            switch self {
            case .recover: "wreck"
            case .promote, .reject: "canary"
            default: nil
            }
        }
    }

    private static let injections = ["signal=KILL", "error=EIO", "error=ENOSPC", "error=EINTR"]

    @Test(arguments: TestBudget.chosen("RELIABILITY_STEPS", of: Step.allCases))
    func atEverySystemCall(step: Step) throws {
        guard Trace.isUsable else {
            try Skip.note("strace is not installed or may not trace here (apt-get install strace)")
            return
        }
        let folder = try TemporaryFolder()
        let prepared = folder.path + "/prepared"
        let drill = Programs.drill
        let made = try Execution.run(drill, ["prepare", prepared])
        try #require(made.status == 0, "\(made.output)")
        if let preparation = step.preparation {
            let run = try Execution.run(drill, [preparation, prepared])
            try #require(run.status == 0, "\(run.output)")
        }
        let old = try StoreState(prepared)
        let done = folder.path + "/done"
        try Self.copy(prepared, to: done)
        let points = try Trace.points(of: drill, [step.rawValue, done])
        #expect(points.count > 2)
        let new = try StoreState(done)
        for injection in Self.injections {
            let name = injection.split(separator: "=")[1]
            let tally = OutcomeCounter(
                "syscall-\(step)-\(name)", "a process that does \(step), with \(injection) at each of its system calls",
                forbidden: ["neither"])
            let tried = TestBudget.some(points, most: 10, seed: UInt64(name.utf8.count))
            for point in tried {
                let site = "\(folder.path)/site"
                let run = try Self.reached(in: 5) {
                    try Durable.remove(site)
                    try Self.copy(prepared, to: site)
                    return try Trace.run(injection, at: point, drill, [step.rawValue, site])
                }
                guard let run else { continue }
                let note = Comment(rawValue: "\(step), \(injection) at \(point): \(run.status) \(run.output)")
                // What whoever reads sees, before anybody has put something right.
                let seen = try ReleaseStore(deploy: site + "/deploy").current()
                let isSeenWhole = seen?.version == old.current || seen?.version == new.current
                #expect(isSeenWhole, note)
                let repaired = try Execution.run(drill, ["recover", site])
                #expect(repaired.status == 0, "\(note); \(repaired.output)")
                let state = try StoreState(site)
                #expect(state.isSound, note)
                #expect(state.current == seen?.version || seen == nil, note)
                let outcome = state.outcome(from: old, to: new)
                #expect(outcome != "neither", "\(note): \(state)")
                // A release whose record can't be read is not deleted, and that is no failure of the retirement.
                if run.status == 0, step != .recover, step != .retire { #expect(outcome == "new", note) }
                let next = try Execution.run(drill, ["publish", site])
                let highest = max(old.versions.max() ?? 0, seen?.version ?? 0)
                let goesOn = try next.status == 0 && StoreState(site).current ?? 0 > highest
                #expect(goesOn, "\(note); \(next.output)")
                let isGood = state.isSound && isSeenWhole && repaired.status == 0 && goesOn
                tally.note(isGood ? outcome : "neither")
            }
            #expect(
                tally.isGood && tally.tried * 10 >= tried.count * 9,
                "\(tally.tried) of \(tried.count) points were reached")
            try tally.write()
        }
    }

    /// strace counts each thread's calls apart, and which thread does what is another matter in every run: the first
    /// that comes to its point.
    private static func reached(in tries: Int, _ run: () throws -> Execution?) throws -> Execution? {
        for _ in 0..<tries {
            if let run = try run() { return run }
        }
        return nil
    }

    private static func copy(_ from: String, to: String) throws {
        let run = try Execution.run("/bin/cp", ["-a", from, to])
        guard run.status == 0 else { throw ChildProcess.Failure(description: run.errors) }
    }
}
