import ArgumentParser
import Ledger
import Releases
import WorkerProtocol

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check the ledger's chain and the digests of the releases.",
        discussion: "Reads the files itself; with --deploy and --state no daemon has to run.")

    /// What was checked.
    private struct Report: Encodable {
        var entries: Int
        /// Release number → names of files that differ, are missing or are extra.
        var releases: [String: [String]]
    }

    @OptionGroup var connection: Connection

    @Option(help: "The deploy directory; default: the daemon's.")
    var deploy: String?

    @Option(help: "The state directory; default: the daemon's.")
    var state: String?

    @Argument(help: "Number of the release; default: all that stand.")
    var release: Int?

    func run() async throws {
        let (deploy, state) = try await connection.directories(deploy: deploy, state: state)
        let report: Report
        do {
            let store = ReleaseStore(deploy: deploy)
            let versions = try release.map { [$0] } ?? store.releases().map(\.version)
            var faults: [String: [String]] = [:]
            for version in versions { faults[String(version)] = try store.verify(version) }
            report = Report(entries: try Ledger.verify(path: state + "/ledger.jsonl"), releases: faults)
        } catch {
            throw CommandFailure("\(error)")
        }
        if connection.json {
            Terminal.print(String(decoding: try JSON.encode(report), as: UTF8.self))
        } else {
            show(report)
        }
        if report.releases.values.contains(where: { !$0.isEmpty }) { throw ExitCode(1) }
    }

    private func show(_ report: Report) {
        Terminal.print("ledger: \(report.entries) entries, the chain holds")
        for (version, faults) in report.releases.sorted(by: { Int($0.key) ?? 0 < Int($1.key) ?? 0 }) {
            Terminal.print("release \(version): " + (faults.isEmpty ? "as published" : faults.joined(separator: ", ")))
        }
    }
}
