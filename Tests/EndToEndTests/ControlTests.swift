import Files
import Foundation
import Ledger
import Releases
import Testing
import WorkerProtocol

/// `supermergectl` against a running daemon.
@Suite struct ControlTests {
    @Test func everyCommandAnswersInJSON() throws {
        let site = try Site()
        try site.drop("amber")
        try site.start()
        try site.settle()

        let status = try site.control("status", "--json").object()
        #expect(status["activity"] as? String == "idle")
        #expect((status["deployed"] as? [String: Any])?["version"] as? Int == 1)
        let tasks = try #require(status["tasks"] as? [[String: Any]])
        #expect(tasks.map { $0["name"] as? String } == ["amber"])
        #expect(tasks.first?["state"] as? String == "deployed")

        let history = try #require(try site.control("history", "--json").json() as? [[String: Any]])
        #expect(history.first?["event"] as? String == "started")
        #expect(history.contains { $0["event"] as? String == "published" && $0["version"] as? Int == 1 })
        let last = try #require(try site.control("history", "--last", "1", "--json").json() as? [[String: Any]])
        #expect(last.count == 1)

        let release = try site.control("show", "1", "--json").object()
        let file = try JSONSerialization.jsonObject(with: site.bytes(site.deployed("release.json"))) as? [String: Any]
        #expect(NSDictionary(dictionary: release) == file.map { NSDictionary(dictionary: $0) })

        let verified = try site.control("verify", "--json")
        #expect(verified.status == 0)
        #expect((try verified.object()["releases"] as? [String: [String]]) == ["1": []])
        #expect(try site.control("rescan", "--json").object()["outcome"] as? String == "done")
    }

    @Test func everyCommandAnswersInWords() throws {
        let site = try Site()
        try site.drop("amber")
        try site.start()
        try site.rescan()
        #expect(try site.control("status").output.contains("deployed: release 1"))
        #expect(try site.control("history").output.contains("published release 1 with task amber"))
        #expect(try site.control("show", "1").output.contains("amber"))
        #expect(try site.control("verify", "1").output.contains("release 1: as published"))
    }

    @Test func exitStatusesTellFailureFromUsage() throws {
        let site = try Site()
        try site.start()
        #expect(try site.control("show", "7").status == 1)
        #expect(try site.control("show", "7").errors.contains("7"))
        #expect(try site.control("rollback", "7").status == 1)
        #expect(try site.control("rollback", "seven").status == 2)
        #expect(try site.control("retry", "nobody").status == 1)
        #expect(try site.control("no-such-command").status == 2)
        let nobody = try Execution.run(Programs.control, ["--socket", site.folder.path + "/none.sock", "status"])
        #expect(nobody.status == 1 && nobody.errors.contains("none.sock"))
    }

    @Test func verifyFindsAChangedFile() throws {
        let site = try Site()
        try site.drop("amber")
        let daemon = try site.start()
        try site.rescan()
        #expect(try daemon.stop() == 0)
        // What is no folder is no release.
        try Data().write(to: URL(filePath: site.deploy + "/versions/7"))
        let path = site.deploy + "/versions/1/heads/amber.safetensors"
        chmod(path, 0o644)
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.seek(toOffset: file.seekToEnd() - 1)
        try file.write(contentsOf: [0x7F])
        try file.close()
        let run = try Execution.run(
            Programs.control, ["verify", "--deploy", site.deploy, "--state", site.state, "--json"])
        #expect(run.status == 1)
        #expect((try run.object()["releases"] as? [String: [String]]) == ["1": ["heads/amber.safetensors"]])
    }

    enum Harm: String, CaseIterable, Sendable {
        case recordTruncated, releasesGone, currentGone, currentElsewhere, pointerGone, pointerFalse, pointerElsewhere
    }

    /// Each of these leaves the ledger's chain and every file that a record lists as they were.
    @Test(arguments: Harm.allCases) func verifyFindsWhatIsDeployedHarmed(harm: Harm) throws {
        let site = try Site()
        try site.drop("amber")
        let daemon = try site.start()
        try site.rescan()
        #expect(try daemon.stop() == 0)
        let (link, pointer) = (site.deploy + "/current", site.deploy + "/CURRENT.json")
        let release = site.deploy + "/versions/1"
        let arguments = ["verify", "--deploy", site.deploy, "--state", site.state, "--json"]
        let whole = try Execution.run(Programs.control, arguments)
        #expect(whole.status == 0)
        #expect((try whole.object()["current"] as? [String: Int]) == ["version": 1])
        chmod(release, 0o755)
        let words: String
        switch harm {
        case .recordTruncated:
            chmod(release + "/release.json", 0o644)
            #expect(truncate(release + "/release.json", 100) == 0)
            words = "release.json"
        case .releasesGone:
            #expect(rename(release, site.folder.path + "/elsewhere") == 0)
            words = "no release 1"
        case .currentGone:
            #expect(unlink(link) == 0 && unlink(pointer) == 0)
            words = "though the ledger says: published release 1"
        case .currentElsewhere:
            #expect(unlink(link) == 0 && symlink("../elsewhere/1", link) == 0)
            words = "points at ../elsewhere/1"
        case .pointerGone:
            #expect(unlink(pointer) == 0)
            words = "CURRENT.json is missing"
        case .pointerFalse:
            try Data(#"{"version":2,"path":"/","digest":"00"}"#.utf8).write(to: URL(filePath: pointer))
            words = "CURRENT.json names release 2"
        case .pointerElsewhere:
            let text = try String(contentsOfFile: pointer, encoding: .utf8)
            try text.replacing("/versions/1", with: "/elsewhere/1").write(
                toFile: pointer, atomically: true, encoding: .utf8)
            words = "another path"
        }
        let run = try Execution.run(Programs.control, arguments)
        let fault = (try run.object()["current"] as? [String: Any])?["fault"] as? String
        #expect(run.status == 1 && fault?.contains(words) == true, "\(fault ?? "no fault") \(run.errors)")
        if harm == .recordTruncated {
            #expect((try run.object()["releases"] as? [String: [String]]) == ["1": ["release.json"]])
        }
    }

    /// A site with two releases whose daemon has stopped, and what `verify` says of it.
    private func stopped() throws -> (site: Site, verify: () throws -> (status: Int32, report: [String: Any])) {
        let site = try Site(steps: 5)
        try site.drop("amber")
        let daemon = try site.start()
        try site.settle()
        try site.drop("birch")
        try site.settle()
        #expect(try daemon.stop() == 0)
        let arguments = ["verify", "--deploy", site.deploy, "--state", site.state, "--json"]
        let verify: () throws -> (status: Int32, report: [String: Any]) = {
            let run = try Execution.run(Programs.control, arguments)
            return (status: run.status, report: try run.object())
        }
        #expect(try verify().status == 0)
        return (site, verify)
    }

    @Test func verifyComparesCurrentWithTheLedger() throws {
        let (site, verify) = try stopped()
        let pointer = try site.bytes(site.deploy + "/CURRENT.json")
        try Durable.pointLink(site.deploy + "/current", at: "versions/1")
        let text = String(decoding: pointer, as: UTF8.self).replacing("versions/2", with: "versions/1")
            .replacing("\"version\":2", with: "\"version\":1")
            .replacing(try site.pointer().digest, with: try ReleaseStore(deploy: site.deploy).release(1).digest)
        try Data(text.utf8).write(to: URL(filePath: site.deploy + "/CURRENT.json"))
        let (status, report) = try verify()
        let fault = (report["current"] as? [String: Any])?["fault"] as? String ?? "none"
        #expect(status == 1)
        #expect(fault.contains("points at release 1, though the ledger says: published release 2"), "\(fault)")
        // The daemon enters what it finds, and then both say the same.
        let daemon = try site.start()
        #expect(try daemon.stop() == 0)
        #expect(try site.ledger(.recovered).map(\.version) == [1])
        #expect(try verify().status == 0)
    }

    @Test func verifyComparesReleasesWithTheLedger() throws {
        let (site, verify) = try stopped()
        let folder = site.deploy + "/versions/1"
        // A file and the record that lists it, changed together.
        let record = try ReleaseStore(deploy: site.deploy).release(1).record
        let old = try #require(record.result.outputs.first { $0.name == "README.md" })
        let page = Array("another page".utf8)
        for path in [folder, folder + "/release.json", folder + "/README.md"] { chmod(path, 0o755) }
        try Data(page).write(to: URL(filePath: folder + "/README.md"))
        var changed = record
        let place = try #require(changed.result.outputs.firstIndex(of: old))
        changed.result.outputs[place].sha256 = Digest.sha256(page)
        changed.result.outputs[place].bytes = Int64(page.count)
        try JSON.encode(changed).write(to: URL(filePath: folder + "/release.json"))
        let (status, report) = try verify()
        #expect((report["releases"] as? [String: [String]])?["1"] == [], "the files are as the record has them")
        #expect(status == 1 && (report["disagreements"] as? [String: String])?.keys.sorted() == ["1"])
        try Durable.rename(folder, to: site.folder.path + "/elsewhere")
        let (second, gone) = try verify()
        let what = (gone["disagreements"] as? [String: String])?["1"] ?? "nothing"
        #expect(second == 1 && what.contains("gone"), "\(what)")
    }

    @Test func pauseHoldsArrivalsUntilResume() throws {
        let site = try Site()
        try site.start()
        #expect(try site.control("pause").status == 0)
        try site.drop("amber")
        try site.settle()
        #expect(try site.ledger(.mergeStarted).isEmpty)
        #expect(try site.control("resume").status == 0)
        try site.settle()
        #expect(site.current == "versions/1")
    }
}
