import ArgumentParser
import Ledger

struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "history", abstract: "What happened, oldest first.")

    @OptionGroup var connection: Connection

    @Option(help: "Entries to show.")
    var last = 50

    func validate() throws {
        guard last > 0 else { throw ValidationError("--last is a number of entries, at least 1") }
    }

    func run() async throws {
        guard let entries = try await connection.ask([LedgerEntry].self, "GET", "/history?last=\(last)") else { return }
        Terminal.table(
            ["TIME", "EVENT", "RELEASE", "WHAT"],
            entries.map { [$0.time, $0.event.rawValue, $0.version.map(String.init) ?? "-", $0.message] })
    }
}
