import ArgumentParser
import Control

struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "What is wrong.",
        discussion: "The exit status is 1 where something keeps releases from being made; warnings alone leave it at 0."
    )

    @OptionGroup var connection: Connection

    func run() async throws {
        let body = try await connection.send("GET", "/health", accepting: 503)
        let health = try connection.decode(HealthReply.self, body)
        if connection.json {
            Terminal.print(String(decoding: body, as: UTF8.self))
        } else if health.problems.isEmpty {
            Terminal.print("nothing is wrong")
        } else {
            Terminal.table(
                ["SEVERITY", "PROBLEM", "TASK", "WHAT"],
                health.problems.map { [$0.severity.rawValue, $0.code, $0.task ?? "-", $0.message] })
        }
        if !health.isHealthy { throw ExitCode(1) }
    }
}
