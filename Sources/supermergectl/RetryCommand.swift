import ArgumentParser
import Foundation

struct RetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Give a task that was set aside another chance.")

    @OptionGroup var connection: Connection

    @Argument(help: "Name of the task.")
    var task: String

    func run() async throws {
        let name = task.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? task
        try await connection.act("/retry/\(name)")
    }
}
