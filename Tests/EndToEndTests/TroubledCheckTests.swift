import Files
import Foundation
import Ledger
import Testing

/// Checks and canary servers that don't do what they should, with the built programs: a clear state and message, and
/// `current` as it was.
@Suite struct TroubledCheckTests {
    /// Does what the file `mode` says, and notes each time that it is asked in `asked`.
    private static let check = """
        cd "$1" && echo asked >> asked
        case $(cat mode) in
        dies) kill -9 $$ ;;
        hangs) exec sleep 100000 ;;
        nonsense) echo '}%{'; exit 42 ;;
        refuses) echo 'accuracy 0.3'; exit 1 ;;
        esac

        """

    /// A site with a check whose mode is `mode`, and release 1 deployed; what is configured beside the check is in
    /// `rollout` and `extra`.
    private func site(_ mode: String, _ rollout: String, extra: String = "") throws -> (Site, DaemonProcess) {
        let site = try Site(steps: 5)
        let path = site.folder.path
        try Durable.createDirectories(path + "/check")
        try Data(Self.check.utf8).write(to: URL(filePath: path + "/script"))
        try set(mode, site)
        try configure(site, rollout, extra: extra)
        let daemon = try site.start()
        try site.drop("amber")
        try site.settle()
        return (site, daemon)
    }

    private func configure(_ site: Site, _ rollout: String, extra: String = "") throws {
        let check = "[/bin/sh, \(site.folder.path)/script, \(site.folder.path)/check]"
        try site.writeConfiguration(
            extra: "rollout: {strategy: canary, interval: 100ms, \(rollout), check: {command: \(check)}}\n\(extra)")
    }

    private func set(_ mode: String, _ site: Site) throws {
        try Durable.replace(site.folder.path + "/check/mode", with: Array(mode.utf8))
    }

    private func candidate(_ site: Site) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: site.deploy + "/candidate")
    }

    /// `rollout` of the status, and the codes of what `health` reports.
    private func state(_ site: Site) throws -> (rollout: [String: Any], problems: [String]) {
        let rollout = try site.control("status", "--json").object()["rollout"] as? [String: Any]
        let problems = try site.control("health", "--json").object()["problems"] as? [[String: Any]]
        return (try #require(rollout), problems?.compactMap { $0["code"] as? String } ?? [])
    }

    /// Waits until the daemon has said on standard error why a release is held.
    private func wait(_ site: Site, _ daemon: DaemonProcess, for reason: String) throws {
        try ChangeWatch([site.folder.path]).wait(for: reason) { daemon.errors.contains(reason) }
    }

    /// Each of them is no answer; the candidate waits, over kill -9, until the check answers.
    @Test func aCheckThatDiesHangsOrAnswersNonsenseHoldsTheCandidate() throws {
        var (site, daemon) = try site("dies", "window: 1h, timeout: 2s")
        try site.drop("birch")
        try site.settle()
        let reasons = [
            ("dies", "no answer: /bin/sh was ended by signal 9"),
            ("nonsense", "no answer: /bin/sh ended with status 42: }%{"), ("hangs", "no answer: no answer within 2s"),
        ]
        for (mode, reason) in reasons {
            try set(mode, site)
            try wait(site, daemon, for: reason)
            let (rollout, problems) = try state(site)
            #expect(rollout["state"] as? String == "silent" && rollout["version"] as? Int == 2, "\(mode): \(rollout)")
            #expect(problems.contains("check-silent"), "\(mode): \(problems)")
            #expect(site.current == "versions/1" && candidate(site) == "versions/2", "\(mode)")
        }
        daemon.kill()
        try configure(site, "window: 0s, timeout: 10m")
        try set("fine", site)
        let watch = try site.ledgerWatch()
        daemon = try site.start()
        try watch.wait(for: "the promotion") { try !site.ledger(.promoted).isEmpty }
        #expect(site.current == "versions/2" && candidate(site) == nil)
        #expect(try site.ledger(.canaryStarted).count == 1 && site.ledger(.checkFailed).isEmpty)
        #expect(try site.control("verify").status == 0)
    }

    /// The hook that loads the candidate into the canary fails: the check is not asked before the server has it.
    @Test func aCanaryThatIsDownHoldsTheCandidateUntilItIsBack() throws {
        let port = freePort()
        let hook = "{name: canary, stage: canary, retries: 0, http: {url: 'http://127.0.0.1:\(port)/load/{release}'}}"
        let (site, daemon) = try site("fine", "window: 0s", extra: "rescan: 1s\nhooks: [\(hook)]\n")
        let path = site.folder.path
        let job = try ChildProcess(
            Programs.control, ["--socket", site.socket, "submit", "--wait", try Workshop.shared().task("birch")],
            output: path + "/job.output", errors: path + "/job.errors")
        let reason = "a server may not have the release: hook canary failed: GET 127.0.0.1:\(port)/load/2: curl: (7)"
        try wait(site, daemon, for: reason)
        let (rollout, problems) = try state(site)
        #expect(rollout["state"] as? String == "silent", "\(rollout)")
        #expect((rollout["message"] as? String)?.hasPrefix(reason) == true, "\(rollout)")
        #expect(Set(["check-silent", "hook-failed"]).isSubset(of: problems), "\(problems)")
        #expect(site.current == "versions/1" && candidate(site) == "versions/2")
        #expect(!FileManager.default.fileExists(atPath: site.folder.path + "/check/asked"))
        // Who waits for the verdict is told what it waits for.
        try ChangeWatch([path]).wait(for: "the job's word") {
            try Execution.text(path + "/job.errors").contains("release 2 is on trial: \(reason)")
        }
        let server = try QueryServer(port: port)
        #expect(try job.wait() == 0)
        #expect(server.queries.contains("/load/2") && site.current == "versions/2")
        #expect(try Execution.text(path + "/job.output") == "birch is deployed in release 2\n")
    }

    /// A check that says no: the release before stays without a hand, and the ledger tells why.
    @Test func aCheckThatSaysNoTakesTheCandidateBackAtItsFirstAnswer() throws {
        let (site, _) = try site("refuses", "window: 1h, timeout: 10m")
        let before = try site.pointer().digest
        let run = try site.control("submit", Workshop.shared().task("birch"), "--wait")
        #expect(run.status == 3 && run.errors.contains("accuracy 0.3"), "\(run.errors)")
        #expect(try site.current == "versions/1" && site.pointer().digest == before && candidate(site) == nil)
        #expect(try Execution.text(site.folder.path + "/check/asked") == "asked\n")
        #expect(try site.ledger().suffix(2).map(\.event) == [.checkFailed, .rejected])
    }
}
