import ArgumentParser
import Files
import Ledger
import Releases
import Signing
import WorkerProtocol

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract:
            "Check the ledger's chain, what is deployed and on trial, the releases' digests, and their signatures.",
        discussion: """
            Reads the files itself; with --deploy and --state no daemon has to run. The ledger is held against the \
            checkpoints in the releases and, with --public-key, against the signed one in the deploy directory, so \
            that a tail that was cut off is missed.
            """)

    /// Looks, a second apart, while the ledger and the deploy directory differ: for a moment they do when a release is
    /// published or deleted.
    private static let looks = 4

    @OptionGroup var connection: Connection

    @Option(help: "The deploy directory; default: the daemon's.")
    var deploy: String?

    @Option(help: "The state directory; default: the daemon's.")
    var state: String?

    @Option(help: "PEM file of the public key that releases and checkpoints must be signed with.")
    var publicKey: String?

    @Option(help: "PEM file of certificates that the ledger's time stamps must lead to; openssl checks them.")
    var timestampCa: String?

    @Option(help: "PEM file of certificates between those and the authority's own, where its answers hold none.")
    var timestampChain: String?

    @Argument(help: "Number of the release; default: all that stand.")
    var release: Int?

    func run() async throws {
        let (deploy, state) = try await connection.directories(deploy: deploy, state: state)
        let (store, ledger) = (ReleaseStore(deploy: deploy), state + "/ledger.jsonl")
        var report: VerificationReport
        do {
            let key = try publicKey.map { try VerificationKey(path: $0) }
            report = try VerificationReport(store: store, ledger: ledger, release: release, key: key)
            try report.check(timestampCa.map { TimestampCheck(authority: $0, chain: timestampChain) }, ledger: ledger)
            for _ in 0..<Self.looks where report.isDisputed {
                try await Task.sleep(for: .seconds(1))
                try report.look(store, ledger: ledger, release: release)
            }
        } catch {
            throw CommandFailure("\(error)")
        }
        if connection.json {
            Terminal.print(String(decoding: try JSON.encode(report), as: UTF8.self))
        } else {
            for line in report.lines { Terminal.print(line) }
        }
        guard report.isFaultless else { throw ExitCode(1) }
    }
}
