import Files
import Foundation
import Ledger
import Reliability
import Releases
import Testing

/// A real daemon, killed again and again while releases are on trial.
@Suite struct TrialKillTests {
    private static let tasks = ["amber", "birch", "cedar"]

    /// Every third release fails its check; the others are promoted when it has held for a while.
    private func site() throws -> Site {
        let site = try Site.quick(settle: "20ms")
        try site.writeConfiguration(
            extra: """
                rollout:
                  strategy: canary
                  window: 300ms
                  interval: 100ms
                  timeout: 10m
                  check: {command: [/bin/sh, -c, 'test $(($1 % 3)) -ne 0', check, '{release}']}

                """)
        return site
    }

    @Test func atRandomMomentsOfTrials() throws {
        let kills = TestBudget.count("RELIABILITY_TRIAL_KILLS", quick: 12, full: 300)
        let seed = UInt64(TestBudget.count("RELIABILITY_SEED", quick: 1, full: 1))
        let tally = OutcomeCounter(
            "kill-daemon-canary",
            "SIGKILL of a real daemon at a random moment while releases become candidates, are promoted and rejected",
            forbidden: KillHistory.forbidden)
        var random = Randomness(seed: seed)
        let site = try site()
        try site.dropNoisy("amber", seed: 1)
        let first = try site.start()
        try site.rescan()
        first.kill()
        var history = try KillHistory(site)
        #expect(history.last.current == 1 && history.last.candidate == nil)
        for round in 0..<kills {
            try site.dropNoisy(Self.tasks[round % Self.tasks.count], seed: UInt64(round + 2))
            let watch = try ChangeWatch([site.state, site.deploy, site.deploy + "/versions", site.deploy + "/.staging"])
            let daemon = try DaemonProcess(site)
            _ = watch.waitForChanges(Int.random(in: 1...90, using: &random), silence: .seconds(3))
            daemon.kill()
            let outcome = try history.look(site, hasStarted: try daemon.becomesReady())
            #expect(!KillHistory.forbidden.contains(outcome), "round \(round), seed \(seed): \(outcome)")
            tally.note(outcome)
        }
        let daemon = try site.start()
        try site.dropNoisy("dune", seed: 99)
        try site.rescan()
        // The trial that runs, if any, is as the ledger has it.
        let verified = try site.control("verify")
        #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
        #expect(try daemon.stop() == 0)
        let end = try history.look(site, hasStarted: true)
        #expect(!KillHistory.forbidden.contains(end), "at the end, seed \(seed): \(end)")
        // Nothing that failed its check was ever deployed.
        let deployed = try site.ledger().filter { [.published, .promoted, .recovered].contains($0.event) }
        #expect(deployed.allSatisfy { ($0.version ?? 1) % 3 != 0 })
        // Killed too early every time, it would show nothing.
        #expect(tally.count("new") + tally.count("candidate") > 0)
        #expect(tally.isGood)
        try tally.write()
    }
}
