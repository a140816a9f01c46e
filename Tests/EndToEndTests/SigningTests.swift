import Files
import Foundation
import Ledger
import Testing

/// Signed releases, provenance, and a ledger whose tail can't be cut off unseen.
@Suite struct SigningTests {
    /// The independent implementation's program; CONTRIBUTING.md says how to get it.
    static let independent = ProcessInfo.processInfo.environment["MODEL_SIGNING"] ?? ""

    /// A site that signs, with two releases.
    private func signedSite() throws -> (site: Site, key: String, daemon: DaemonProcess) {
        let site = try Site(steps: 5)
        let key = site.folder.path + "/key.pem"
        try openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        try openssl("pkey", "-in", key, "-pubout", "-out", key + ".pub")
        try Durable.changeMode(key, to: 0o600)
        site.keys["signing"] = "{key: \(key)}"
        try site.writeConfiguration()
        try site.drop("amber")
        let daemon = try site.start()
        try site.settle()
        try site.drop("birch")
        try site.settle()
        return (site, key, daemon)
    }

    private func openssl(_ arguments: String...) throws {
        let run = try Execution.run("/usr/bin/openssl", arguments)
        #expect(run.status == 0, "\(run.errors)")
    }

    private func change(_ path: String, _ edit: (inout Data) -> Void) throws {
        var bytes = try Data(contentsOf: URL(filePath: path))
        let folder = URL(filePath: path).deletingLastPathComponent().path
        let mode = try FileStatus(path: folder).mode
        try Durable.changeMode(folder, to: mode | 0o200)
        edit(&bytes)
        try Durable.replace(path, with: Array(bytes))
        try Durable.changeMode(folder, to: mode)
    }

    @Test func releasesAndTheLedgerAreSigned() throws {
        let (site, key, daemon) = try signedSite()
        #expect(try site.control("rollback", "1").status == 0)
        let verified = try site.control("verify", "--public-key", key + ".pub")
        #expect(verified.status == 0, "\(verified.output) \(verified.errors)")
        #expect(verified.output.contains("LEDGER.sig noted, signed"), "\(verified.output)")
        for number in 1...3 {
            #expect(verified.output.contains("release \(number): as published; the signature holds"))
        }
        let json = try site.control("verify", "--json", "--public-key", key + ".pub")
        #expect(try JSONSchema(of: "supermergectl verify --json").faults(of: json.json()) == [])
        #expect(try site.control("verify").output.contains("signed (--public-key FILE checks it)"))

        try openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key + ".2")
        try openssl("pkey", "-in", key + ".2", "-pubout", "-out", key + ".2.pub")
        let other = try site.control("verify", "--public-key", key + ".2.pub")
        #expect(other.status == 1 && other.errors.contains("another key"), "\(other.output) \(other.errors)")

        // The tail of the ledger goes: the chain holds, and the signed checkpoint does not.
        #expect(try daemon.stop() == 0)
        let ledger = site.state + "/ledger.jsonl"
        try change(ledger) { bytes in
            let lines = bytes.split(separator: 0x0A)
            bytes = Data(lines.dropLast().flatMap { $0 + [0x0A] })
        }
        let directories = ["verify", "--deploy", site.deploy, "--state", site.state]
        let cut = try Execution.run(Programs.control, directories + ["--public-key", key + ".pub"])
        #expect(cut.status == 1 && cut.errors.contains("LEDGER.sig noted"), "\(cut.output) \(cut.errors)")
        #expect(cut.errors.contains("were cut off"))
        // A restarted daemon says so, and signs no checkpoint that would cover it up.
        let again = try site.start()
        #expect(again.errors.contains("the ledger is not what was noted of it"), "\(again.errors)")
        let after = try site.control("verify", "--public-key", key + ".pub")
        #expect(after.status == 1, "\(after.output) \(after.errors)")
    }

    private func problems(_ site: Site) throws -> [String] {
        let problems = try site.control("health", "--json").object()["problems"] as? [[String: Any]] ?? []
        return problems.compactMap { $0["code"] as? String }
    }

    /// What the last release noted of the ledger is still there, so that only the signed checkpoint knows of what came
    /// after.
    @Test func aCheckpointThatIsGoneIsNotSignedAnew() throws {
        let (site, key, daemon) = try signedSite()
        #expect(try site.control("pause").status == 0)
        #expect(try daemon.stop() == 0)
        let (ledger, checkpoint) = (site.state + "/ledger.jsonl", site.deploy + "/LEDGER.sig")
        let head = try #require(try site.release()?.record.ledger)
        let signed = try site.bytes(checkpoint)
        try change(ledger) { bytes in
            let lines = bytes.split(separator: 0x0A)
            // With the entry of the publication itself.
            bytes = Data(lines.prefix(head.entries + 1).flatMap { $0 + [0x0A] })
        }
        try Durable.remove(checkpoint)
        let again = try site.start()
        #expect(again.errors.contains("it is not there, though it was signed before"), "\(again.errors)")
        #expect(try problems(site).contains("ledger-doubtful"))
        let verified = try site.control("verify", "--public-key", key + ".pub")
        #expect(verified.status == 1 && verified.errors.contains("is not there"), "\(verified.output)")
        #expect(try site.control("rollback", "1").status == 0)
        #expect(try site.release()?.record.ledger == nil, "nor by a release")
        #expect(try again.stop() == 0)
        #expect(!FileManager.default.fileExists(atPath: checkpoint))
        // With the checkpoint put back it is seen that entries are missing, and nobody can accept that.
        try signed.write(to: URL(filePath: checkpoint))
        try site.start()
        #expect(try problems(site).contains("ledger-doubtful"))
        #expect(try site.control("accept-ledger").status == 1)
        #expect(try site.bytes(checkpoint) == signed)
    }

    @Test func anotherKeyIsAcceptedByTheOperatorAlone() throws {
        let (site, key, daemon) = try signedSite()
        #expect(try site.control("accept-ledger").output.contains("nothing about the ledger is doubtful"))
        #expect(try daemon.stop() == 0)
        try openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        try openssl("pkey", "-in", key, "-pubout", "-out", key + ".new.pub")
        try Durable.changeMode(key, to: 0o600)
        let signed = try site.bytes(site.deploy + "/LEDGER.sig")
        let second = try site.start()
        #expect(try problems(site).contains("ledger-doubtful"))
        #expect(try site.bytes(site.deploy + "/LEDGER.sig") == signed)
        let reply = try site.control("accept-ledger")
        #expect(reply.status == 0 && reply.output.contains("signed anew"), "\(reply.output) \(reply.errors)")
        #expect(try !problems(site).contains("ledger-doubtful"))
        let entry = try #require(try site.ledger(.operatorAction).last)
        #expect(entry.details["action"]?.text == "accept-ledger" && entry.details["by"] != nil)
        #expect(try second.stop() == 0)
        try site.start()
        #expect(try !problems(site).contains("ledger-doubtful"), "and stays so")
        // Releases keep the signature of their time; the checkpoint has the new one.
        let verified = try site.control("verify", "--public-key", key + ".new.pub")
        #expect(verified.output.contains("LEDGER.sig noted, signed"), "\(verified.output) \(verified.errors)")
    }

    @Test func withoutItsKeyTheDaemonPublishesNothingAndSaysWhatToDo() throws {
        let (site, key, _) = try signedSite()
        try Durable.rename(key, to: key + ".away")
        try site.drop("cedar")
        let reply = try site.rescan()
        #expect(reply.status == 1 && reply.output.contains("signing.key"), "\(reply.output) \(reply.errors)")
        #expect(site.current == "versions/2")
        #expect(try site.versions() == [1, 2])
        #expect(try site.control("rollback", "1").status == 1)
        try Durable.rename(key + ".away", to: key)
        #expect(try site.control("retry", "cedar").status == 0)
        try site.settle("with its key again")
        #expect(site.current == "versions/3")
        #expect(try site.control("verify", "--public-key", key + ".pub").status == 0)
    }

    @Test(.enabled(if: !independent.isEmpty, "MODEL_SIGNING names no model_signing program: see CONTRIBUTING.md"))
    func theIndependentPackageVerifiesARelease() throws {
        let (site, key, _) = try signedSite()
        let release = site.deploy + "/versions/2"
        func verify() throws -> Execution {
            try Execution.run(
                Self.independent,
                ["verify", "key", release, "--signature", release + "/model.sig", "--public_key", key + ".pub"])
        }
        let whole = try verify()
        #expect(whole.status == 0, "\(whole.output) \(whole.errors)")
        try change(release + "/provenance.json") { $0[$0.count / 2] ^= 1 }
        let changed = try verify()
        #expect(changed.status != 0 && "\(changed.output)\(changed.errors)".contains("provenance.json"))
        #expect(try site.control("verify", "2", "--public-key", key + ".pub").status == 1)
    }
}
