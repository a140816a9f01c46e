import ArgumentParser
import Control

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "What the daemon does, and how each task stands.",
        discussion: "On a terminal it fits the window: tasks that are well are left out first.")

    @OptionGroup var connection: Connection

    @Flag(help: "List every task, however many.")
    var all = false

    func run() async throws {
        guard let status = try await connection.ask(DaemonStatus.self, "GET", "/status") else { return }
        // The prompt takes a line.
        let rows = all ? nil : Terminal.window.map { $0.rows - 1 }
        for line in StatusLines(status: status).text(rows: rows) { Terminal.write(line + "\n") }
    }
}
