import ArgumentParser

struct RejectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reject", abstract: "Take the candidate away, whatever its check says.",
        discussion: """
            `current` stays as it is. A release that is deployed and watched is rolled back. What was new in the release \
            is not merged again until it changes, or until 'retry TASK'.
            """)

    @OptionGroup var connection: Connection

    @Argument(help: "Number of the release on trial.")
    var release: Int

    func run() async throws { try await connection.act("/reject/\(release)") }
}
