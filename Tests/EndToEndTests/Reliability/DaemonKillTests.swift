import Files
import Foundation
import Reliability
import Testing

/// A real daemon, killed again and again while tasks arrive, change and go, and an operator rolls back.
@Suite struct DaemonKillTests {
    private static let tasks = ["amber", "birch", "cedar", "dune", "elm"]

    @Test func atRandomMomentsUnderArrivals() throws {
        let kills = TestBudget.count("RELIABILITY_KILLS", quick: 16, full: 1000)
        let seed = UInt64(TestBudget.count("RELIABILITY_SEED", quick: 1, full: 1))
        let tally = OutcomeCounter(
            "kill-daemon",
            "SIGKILL of a real daemon at a random moment while tasks arrive, change, go and are rolled back",
            forbidden: KillHistory.forbidden)
        var random = Randomness(seed: seed)
        let site = try Site.quick(settle: "20ms")
        site.merge["scale"] = "0.3"
        try site.dropNoisy("amber", seed: 1)
        try site.start().kill()
        var history = try KillHistory(site)
        for round in 0..<kills {
            try arrive(site, round: round, &random)
            let watch = try ChangeWatch([site.state, site.deploy, site.deploy + "/versions", site.deploy + "/.staging"])
            let daemon = try DaemonProcess(site)
            var rollback: SentRollback?
            var hasStarted = false
            if round % 5 == 4, let oldest = history.last.versions.first, oldest <= history.last.current ?? 0 {
                try daemon.waitUntilReady()
                hasStarted = true
                let sent = try SentRollback(site, to: oldest)
                // Every other one is answered before the kill.
                if round % 10 == 9 { #expect(try sent.status() == 0, "round \(round), seed \(seed)") }
                rollback = sent
            }
            _ = watch.waitForChanges(Int.random(in: 1...72, using: &random), silence: .seconds(3))
            daemon.kill()
            if !hasStarted { hasStarted = try daemon.becomesReady() }
            if let version = try rollback?.acknowledged() { history.acknowledge(rollback: version) }
            let outcome = try history.look(site, hasStarted: hasStarted)
            #expect(!KillHistory.forbidden.contains(outcome), "round \(round), seed \(seed): \(outcome)")
            tally.note(outcome)
        }
        var content: [String: String] = [:]
        for name in Self.tasks where FileManager.default.fileExists(atPath: site.path(name)) {
            content[name] = Digest.sha256(try Durable.contents(site.path(name, "model.safetensors")))
        }
        // A rollback holds the registry's content back: something new ends that.
        content["fir"] = try site.dropNoisy("fir", seed: 99)
        let daemon = try site.start()
        #expect(try site.converges(to: content))
        #expect(try site.control("verify").status == 0)
        #expect(try daemon.stop() == 0)
        let end = try history.look(site, hasStarted: true)
        #expect(!KillHistory.forbidden.contains(end), "at the end, seed \(seed): \(end)")
        if KillHistory.forbidden.contains(end) { tally.note(end) }
        // Killed too early every time, it would show nothing.
        #expect(tally.count("new") > 0)
        #expect(tally.isGood)
        try tally.write()
    }

    private func arrive(_ site: Site, round: Int, _ random: inout Randomness) throws {
        let task = Self.tasks[Int.random(in: 0..<Self.tasks.count, using: &random)]
        let isThere = FileManager.default.fileExists(atPath: site.path(task))
        let count = try FileManager.default.contentsOfDirectory(atPath: site.registry + "/tasks").count
        if isThere, count > 1, Bool.random(using: &random) {
            try Durable.remove("\(site.folder.path)/removed-\(task)")
            try site.remove(task)
        } else {
            try site.dropNoisy(task, seed: UInt64(round + 2))
        }
    }

    /// Returns when the daemon has merged what stands in the registry, or has failed at it, or has ended; says whether
    /// it was ready before.
    private func waitForOutcome(_ site: Site, _ daemon: DaemonProcess) throws -> Bool {
        guard try daemon.becomesReady() else { return false }
        let end = ContinuousClock.now + .ample
        // Nothing is printed where nobody answers: the daemon has gone, or does not listen yet.
        while try site.rescan().output.isEmpty, !Await.end(of: daemon.process.pid, within: .zero) {
            try #require(ContinuousClock.now < end, "the daemon neither answers nor ends")
        }
        return true
    }

    /// The same at its system calls, one kind after the other.
    @Test func atItsSystemCalls() throws {
        guard Trace.isUsable else {
            try Skip.note("strace is not installed or may not trace here (apt-get install strace)")
            return
        }
        let tally = OutcomeCounter(
            "kill-daemon-syscalls", "SIGKILL of a real daemon that publishes, at a system call of one of its threads",
            forbidden: KillHistory.forbidden)
        let site = try Site.quick(settle: "20ms")
        try site.dropNoisy("amber", seed: 1)
        try site.start().kill()
        var history = try KillHistory(site)
        let kinds = ["fsync": 24, "rename": 12, "symlink": 1, "unlinkat": 12, "chmod": 12, "mkdir": 4, "ftruncate": 1]
        let points = kinds.sorted { $0.key < $1.key }.flatMap { call, most in
            (1...most).map { Trace.Point(call: call, number: $0) }
        }
        let tried = TestBudget.some(points, most: 6)
        for (round, point) in tried.enumerated() {
            try site.dropNoisy("birch", seed: UInt64(round + 2))
            let log = "\(site.folder.path)/trace-\(round)"
            let daemon = try DaemonProcess(site, under: Trace.arguments("signal=KILL", at: point, log: log))
            let hasStarted = try waitForOutcome(site, daemon)
            let isKilled = try Trace.isInjected(log)
            daemon.killAll()
            let outcome = try history.look(site, hasStarted: hasStarted)
            let isForbidden = KillHistory.forbidden.contains(outcome)
            #expect(!isForbidden, "killed at \(point): \(outcome)")
            // A publish without so many calls of this kind was not stopped at one.
            if isKilled || isForbidden { tally.note(outcome) }
        }
        try site.start()
        let content = try ["amber", "birch"].map {
            ($0, Digest.sha256(try Durable.contents(site.path($0, "model.safetensors"))))
        }
        #expect(try site.converges(to: Dictionary(uniqueKeysWithValues: content)))
        #expect(tally.isGood && tally.tried * 3 >= tried.count, "\(tally.tried) of \(tried.count) points were reached")
        try tally.write()
    }
}
