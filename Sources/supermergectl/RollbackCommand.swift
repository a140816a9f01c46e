import ArgumentParser

struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Publish an older release's content again, under a new number.",
        discussion: "What stands in the registry stays unmerged until it changes, or until 'resume' or 'retry'.")

    @OptionGroup var connection: Connection

    @Argument(help: "Number of the release to go back to.")
    var release: Int

    func run() async throws { try await connection.act("/rollback/\(release)") }
}
