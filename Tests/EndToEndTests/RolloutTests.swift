import Files
import Foundation
import Ledger
import Testing

/// Releases on trial, with the built programs: a check that asks a query API, a daemon that is killed, and the way
/// back.
@Suite struct RolloutTests {
    private func configure(_ site: Site, _ server: QueryServer, window: String, strategy: String = "canary") throws {
        try site.writeConfiguration(
            extra: """
                rollout:
                  strategy: \(strategy)
                  window: \(window)
                  interval: 200ms
                  check: {prometheus: {url: "\(server.url)", query: "accuracy{release='{release}'}", minimum: 0.8}}

                """)
    }

    private func candidate(_ site: Site) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: site.deploy + "/candidate")
    }

    @Test func aGoodCandidateIsPromotedAndABadOneRejectedWithoutAHand() throws {
        let (site, server) = (try Site(steps: 5), try QueryServer())
        server.set("0.9")
        try configure(site, server, window: "300ms")
        try site.start()
        for (task, version) in [("amber", 1), ("birch", 2)] {
            let run = try site.control("submit", Workshop.shared().task(task), "--wait")
            #expect(run.status == 0 && site.current == "versions/\(version)", "\(run.output)\(run.errors)")
        }
        #expect(try site.ledger(.promoted).map(\.version) == [2] && site.ledger(.canaryStarted).map(\.version) == [2])
        #expect(candidate(site) == nil)
        #expect(server.queries.contains { $0.contains("release%3D%272%27") }, "\(server.queries)")

        server.set("0.3")
        let run = try site.control("submit", Workshop.shared().task("cedar"), "--wait")
        #expect(run.status == 3 && run.errors.contains("0.3 is below the minimum 0.8"), "\(run.output)\(run.errors)")
        #expect(site.current == "versions/2" && candidate(site) == nil)
        let failed = try #require(try site.ledger(.checkFailed).last)
        #expect(failed.version == 3 && failed.details["answer"]?.text == "0.3 is below the minimum 0.8")
        #expect(try site.ledger(.rejected).map(\.version) == [3])
        let verified = try site.control("verify")
        #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
    }

    @Test func aDeployedReleaseThatFailsIsRolledBackWithinAnInterval() throws {
        let (site, server) = (try Site(steps: 5), try QueryServer())
        server.set("0.9")
        try configure(site, server, window: "100ms", strategy: "immediate")
        try site.start()
        try site.drop("amber")
        try site.settle()
        server.set("0.2")
        let watch = try site.ledgerWatch()
        try site.drop("birch")
        try watch.wait(for: "the rollback") { try !site.ledger(.rolledBack).isEmpty }
        #expect(try site.pointer().version == 3 && site.release()?.record.rollbackOf == 1)
        let entry = try #require(try site.ledger(.rolledBack).first)
        #expect(entry.message.contains("release 2: the check failed: 0.2 is below the minimum 0.8"), "\(entry.message)")
    }

    @Test func aServerThatIsDownHoldsTheCandidateUntilAnOperatorDecides() throws {
        let (site, server) = (try Site(steps: 5), try QueryServer())
        try configure(site, server, window: "100ms")
        try site.start()
        try site.drop("amber")
        try site.settle()
        server.stop()
        try site.drop("birch")
        try site.settle()
        let status = try site.control("status")
        #expect(status.output.contains("candidate: release 2"), "\(status.output)")
        #expect(site.current == "versions/1" && candidate(site) == "versions/2")
        #expect(try site.control("promote", "1").errors.contains("release 1 is not on trial: release 2 is"))
        try expectVerification(site)
        #expect(try site.control("reject", "2").status == 0)
        #expect(site.current == "versions/1" && candidate(site) == nil)
        #expect(try site.ledger(.rejected).last?.details["by"] != nil)
    }

    /// `candidate` is held against the ledger as `current` is: moved by somebody, or taken away.
    private func expectVerification(_ site: Site) throws {
        let whole = try site.control("verify")
        #expect(whole.status == 0 && whole.output.contains("candidate: release 2\n"), "\(whole.output)")
        let link = site.deploy + "/candidate"
        let tampered: [(target: String?, fault: String)] = [
            (nil, "there is no `candidate`, though the ledger says: release 2 is the candidate"),
            ("versions/1", "`candidate` points at release 1, though the ledger says: release 2 is the candidate"),
            ("versions/7", "`candidate` points at release 7, though the ledger says: release 2 is the candidate"),
        ]
        for (target, fault) in tampered {
            try Durable.remove(link)
            if let target { try Durable.pointLink(link, at: target) }
            let run = try site.control("verify", "--json")
            let candidate = try run.object()["candidate"] as? [String: Any]
            #expect(run.status == 1 && (candidate?["fault"] as? String)?.hasPrefix(fault) == true, "\(run.output)")
            #expect(try JSONSchema(of: "supermergectl verify --json").faults(of: run.json()) == [])
        }
        try Durable.pointLink(link, at: "versions/2")
        #expect(try site.control("verify").status == 0)
    }

    /// Killed while a release is on trial, a daemon goes on with the trial.
    @Test func aKilledDaemonGoesOnWithTheTrial() throws {
        let (site, server) = (try Site(steps: 5), try QueryServer())
        try configure(site, server, window: "1h")
        var daemon = try site.start()
        try site.drop("amber")
        try site.settle()
        try site.drop("birch")
        try site.settle()
        for _ in 0..<3 {
            daemon.kill()
            #expect(site.current == "versions/1" && candidate(site) == "versions/2")
            daemon = try site.start()
            let rollout = try #require(try site.control("status", "--json").object()["rollout"] as? [String: Any])
            #expect(rollout["version"] as? Int == 2 && rollout["kind"] as? String == "canary")
        }
        let schema = try JSONSchema(of: "supermergectl status --json")
        #expect(schema.faults(of: try site.control("status", "--json").json()) == [])
        #expect(try site.control("promote", "2").status == 0)
        #expect(site.current == "versions/2" && candidate(site) == nil)
        #expect(try site.ledger(.canaryStarted).count == 1 && site.ledger(.promoted).count == 1)
    }
}
