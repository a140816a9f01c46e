import Files
import Foundation
import Ledger
import Testing

/// Proof of time: the ledger's head is stamped by an authority of openssl's (RFC 3161), and `verify` checks it.
@Suite struct TimestampTests {
    /// A time stamping authority in a folder.
    private struct Authority {
        let folder: String
        var certificate: String { folder + "/ca.pem" }

        init(in folder: String) throws {
            self.folder = folder
            try Durable.createDirectories(folder)
            let settings = """
                [tsa]
                default_tsa = here
                [here]
                serial = \(folder)/serial
                signer_digest = sha256
                default_policy = 1.2.3.4.1
                digests = sha256
                ess_cert_id_alg = sha256

                """
            try Data(settings.utf8).write(to: URL(filePath: folder + "/tsa.cnf"))
            try Data("extendedKeyUsage=critical,timeStamping\n".utf8).write(to: URL(filePath: folder + "/extension"))
            let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
            try shell(
                """
                cd \(folder)
                openssl req -x509 \(key) -keyout ca.key -out ca.pem -days 2 -subj /CN=authority
                openssl req \(key) -keyout tsa.key -out tsa.csr -subj /CN=stamps
                openssl x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
                    -extfile extension -out tsa.pem
                """)
        }

        /// A command that has the authority stamp the statement.
        var command: String {
            let query = #"openssl ts -query -data "$SUPERMERGE_DATA" -sha256 -cert"#
            let reply =
                "openssl ts -reply -config \(folder)/tsa.cnf -queryfile /dev/stdin -signer \(folder)/tsa.pem -inkey "
                + "\(folder)/tsa.key"
            return "[/bin/sh, -c, '\(query) | \(reply)']"
        }

        private func shell(_ script: String) throws {
            let run = try Execution.run("/bin/sh", ["-ec", script])
            #expect(run.status == 0, "\(run.errors)")
        }
    }

    private func site(_ command: String, interval: String = "24h") throws -> Site {
        let site = try Site(steps: 5)
        site.keys["timestamp"] = "{command: \(command), interval: \(interval)}"
        try site.writeConfiguration()
        return site
    }

    /// Waits until the head as it was at some entry or later is stamped; gives the entries of the last stamp.
    private func waitForStamp(_ site: Site, from entries: Int) throws -> Int {
        let folder = site.state + "/" + LedgerStatement.folder
        try Durable.createDirectories(folder)
        let watch = try ChangeWatch([folder])
        var last = 0
        try watch.wait(for: "a time stamp") {
            last = try LedgerStatement.stamped(ledger: site.state + "/ledger.jsonl").last ?? 0
            return last >= entries
        }
        return last
    }

    @Test func publicationsAreStampedAndVerified() throws {
        let folder = try TemporaryFolder()
        let authority = try Authority(in: folder.path + "/authority")
        let site = try site(authority.command)
        let daemon = try site.start()
        let first = try waitForStamp(site, from: 1)
        try site.drop("amber")
        try site.settle()
        let published = try #require(try site.ledger().firstIndex { $0.event == .published }) + 1
        let stamped = try waitForStamp(site, from: max(published, first + 1))
        #expect(try daemon.stop() == 0)

        let verified = try site.control(arguments: verification(site, authority.certificate))
        #expect(verified.status == 0, "\(verified.output) \(verified.errors)")
        #expect(verified.output.contains("time stamp of the first \(stamped) entries: valid: "), "\(verified.output)")
        let json = try site.control(arguments: verification(site, authority.certificate) + ["--json"])
        #expect(try JSONSchema(of: "supermergectl verify --json").faults(of: json.json()) == [])
        let unchecked = try site.control(arguments: verification(site, nil))
        #expect(unchecked.status == 0 && unchecked.output.contains("unchecked (--timestamp-ca"), "\(unchecked.output)")

        // Another authority's certificate.
        let other = try Authority(in: folder.path + "/other")
        let foreign = try site.control(arguments: verification(site, other.certificate))
        #expect(foreign.status == 1 && foreign.output.contains("openssl ts -verify refuses it"), "\(foreign.output)")

        // A statement about another ledger, as after history was written anew.
        let paths = LedgerStatement.paths(entries: stamped, ledger: site.state + "/ledger.jsonl")
        let statement = LedgerStatement(entries: stamped, digest: String(repeating: "0", count: 64))
        let former = try Durable.contents(paths.data)
        try Durable.replace(paths.data, with: statement.bytes)
        let replaced = try site.control(arguments: verification(site, authority.certificate))
        #expect(replaced.status == 1 && replaced.errors.contains("timestamps/\(stamped).tsr"), "\(replaced.errors)")

        // A tail that was cut off.
        try Durable.replace(paths.data, with: former)
        let ledger = site.state + "/ledger.jsonl"
        let lines = try Execution.text(ledger).split(separator: "\n").prefix(stamped - 1)
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: ledger))
        let cut = try site.control(arguments: verification(site, authority.certificate))
        #expect(cut.status == 1 && cut.errors.contains("timestamps/\(stamped).tsr"), "\(cut.errors)")
    }

    private func verification(_ site: Site, _ certificate: String?) -> [String] {
        ["verify", "--deploy", site.deploy, "--state", site.state] + (certificate.map { ["--timestamp-ca", $0] } ?? [])
    }

    @Test(arguments: [
        ("[/bin/sh, -c, 'echo the authority is away >&2; exit 7']", "status 7: the authority is away"),
        ("[/bin/echo, nonsense]", "no time stamp response"),
        ("[/nowhere/stamp]", "/nowhere/stamp"),
    ])
    func aFailureIsNamedAndBlocksNothing(command: String, words: String) throws {
        let site = try site(command)
        try site.start()
        try site.drop("amber")
        try site.settle()
        #expect(site.current == "versions/1")
        let health = try site.control("health")
        #expect(health.output.contains("timestamp-failing") || health.output.contains(words), "\(health.output)")
        let problems = try site.control("health", "--json").object()["problems"] as? [[String: Any]] ?? []
        let problem = try #require(problems.first { $0["code"] as? String == "timestamp-failing" }, "\(problems)")
        #expect((problem["message"] as? String)?.contains(words) == true, "\(problem)")
        #expect(try LedgerStatement.stamped(ledger: site.state + "/ledger.jsonl").isEmpty)
    }
}
