import ArgumentParser
import Control

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "What the daemon does, and how each task stands.")

    @OptionGroup var connection: Connection

    func run() async throws {
        guard let status = try await connection.ask(DaemonStatus.self, "GET", "/status") else { return }
        Terminal.print("\(status.activity.rawValue): \(status.message)")
        if let deployed = status.deployed {
            let source = deployed.rollbackOf.map { ", a rollback to release \($0)" } ?? ""
            Terminal.print("deployed: release \(deployed.version) of \(deployed.created)\(source), \(deployed.path)")
        }
        Terminal.print("base: \(status.base.message)")
        Terminal.table(
            ["TASK", "STATE", "SCORE", "WHY"],
            status.tasks.map { [$0.name, $0.state.rawValue, Terminal.number($0.score), $0.message] })
        for (name, reason) in status.strays.sorted(by: { $0.key < $1.key }) {
            Terminal.print("not a task: tasks/\(name): \(reason)")
        }
    }
}
