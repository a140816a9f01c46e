import ArgumentParser
import Daemon
import Foundation
import WorkerProtocol

/// The daemon: watches a registry, merges what arrives, publishes what passes the gate.
@main
struct Program: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supermerged", abstract: "Keep a deployed model merged from the fine-tunes in a directory.",
        version: Product.version)

    @Option(help: "The configuration file (YAML); supermerged.yaml(5) documents every key.")
    var config: String

    @Flag(help: "Check the configuration, print OK or every fault, warn where the registry is not there, and exit.")
    var check = false

    @Flag(help: "Log what the worker says, too.")
    var verbose = false

    /// Usage errors exit with 2.
    static func main() async {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == SandboxedProgram.command {
            Foundation.exit(SandboxedProgram.exec(Array(arguments.dropFirst())))
        }
        do {
            var command = try parse()
            try await command.run()
        } catch  where exitCode(for: error) == .validationFailure {
            FileHandle.standardError.write(Data("\(fullMessage(for: error))\n".utf8))
            exit(withError: ExitCode(2))
        } catch {
            exit(withError: error)
        }
    }

    mutating func run() async throws {
        do {
            if check {
                for warning in try Daemon.Configuration.load(config).warnings() {
                    FileHandle.standardError.write(Data("supermerged: warning: \(config): \(warning)\n".utf8))
                }
                print("\(config): OK")
                return
            }
            try await DaemonProgram(configuration: config, isVerbose: verbose).run()
        } catch {
            FileHandle.standardError.write(Data("supermerged: \(error)\n".utf8))
            throw ExitCode.failure
        }
    }
}
