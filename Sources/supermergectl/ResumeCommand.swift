import ArgumentParser

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Go on merging after 'pause' or 'rollback'.")

    @OptionGroup var connection: Connection

    func run() async throws { try await connection.act("/resume") }
}
