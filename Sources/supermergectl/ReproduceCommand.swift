import ArgumentParser
import Control
import Glibc

struct ReproduceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reproduce",
        abstract: "Make a release again from its recorded inputs and coefficients, and compare the bytes.",
        discussion:
            """
            Runs 'supermerge reproduce'. The inputs are the base of the registry and the tasks as the daemon keeps them, or as \
            they lie in the registry. Exit status: 0 the same bytes, 1 other bytes or an input that is gone or changed.
            """)

    @OptionGroup var connection: Connection

    @Option(help: "The deploy directory; default: the daemon's.")
    var deploy: String?

    @Option(help: "The state directory; default: the daemon's.")
    var state: String?

    @Option(help: "The program that computes; default: supermerge beside this one.")
    var program: String?

    @Option(help: "Folder with room for a copy of the release; default: the system's for temporary files.")
    var scratch: String?

    @Argument(help: "Number of the release.")
    var release: Int

    func run() async throws {
        let (deploy, state) = try await connection.directories(deploy: deploy, state: state)
        let program = try program ?? Neighbour.path("supermerge")
        var arguments = [program, "reproduce", "\(deploy)/versions/\(release)", "--kept", "\(state)/tasks"]
        if let scratch { arguments += ["--scratch", scratch] }
        if connection.json { arguments.append("--json") }
        var list = unsafe arguments.map { unsafe strdup($0) } + [nil]
        // Output and exit status are the other program's from here on.
        unsafe execv(program, &list)
        throw CommandFailure("\(program) can't be started: \(unsafe String(cString: strerror(errno)))")
    }
}
