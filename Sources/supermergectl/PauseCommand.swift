import ArgumentParser

struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Stop merging, the running merge included, until 'resume'.")

    @OptionGroup var connection: Connection

    func run() async throws { try await connection.act("/pause") }
}
