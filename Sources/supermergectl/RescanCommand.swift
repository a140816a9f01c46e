import ArgumentParser

struct RescanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rescan", abstract: "Look at the registry now.",
        discussion:
            """
            With --wait the exit status is 3 where something that arrived last was refused: at admission, in the merge, or \
            by the gate.
            """
    )

    @OptionGroup var connection: Connection

    @Flag(help: "Return when everything that can be merged now is merged or refused.")
    var wait = false

    func run() async throws { try await connection.act(wait ? "/rescan?wait=true" : "/rescan") }
}
