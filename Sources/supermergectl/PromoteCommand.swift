import ArgumentParser

struct PromoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote", abstract: "Deploy the candidate now, whatever its check says.",
        discussion: "Of a release that is deployed and watched, the watch ends.")

    @OptionGroup var connection: Connection

    @Argument(help: "Number of the release on trial.")
    var release: Int

    func run() async throws { try await connection.act("/promote/\(release)") }
}
