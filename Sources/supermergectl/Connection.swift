import ArgumentParser
import Control
import Foundation
import WorkerProtocol

/// The options that every subcommand has.
struct Connection: ParsableArguments {
    @Option(help: "The daemon's control socket; default: $SUPERMERGE_SOCKET or /run/supermerge/control.sock.")
    var socket: String?

    @Flag(help: "Print the daemon's answer as JSON.")
    var json = false

    private var client: ControlClient {
        ControlClient(
            socket: socket ?? CommandLineSocket.beforeSubcommand ?? ProcessInfo.processInfo.environment[
                "SUPERMERGE_SOCKET"]
                ?? ControlClient.defaultSocket)
    }

    /// Asks and gives the answer; with `--json` it is printed as it came, and nil comes back.
    func ask<Answer: Decodable>(_ type: Answer.Type, _ method: String = "GET", _ path: String) async throws -> Answer? {
        let body = try await send(method, path)
        if json {
            Terminal.print(String(decoding: body, as: UTF8.self))
            return nil
        }
        return try decode(type, body)
    }

    /// Sends a command, says what came of it, and ends with its exit status.
    func act(_ path: String) async throws {
        try tell(decode(ActionReply.self, try await send("POST", path)))
    }

    /// Prints an answer, and ends with its exit status.
    func tell(_ reply: ActionReply) throws {
        if json {
            Terminal.print(String(decoding: try JSON.encode(reply), as: UTF8.self))
        } else if reply.outcome == .done {
            Terminal.print(reply.version.map { "\(reply.message) (deployed: release \($0))" } ?? reply.message)
        } else {
            Terminal.error(reply.message)
        }
        switch reply.outcome {
        case .done: return
        case .refused: throw ExitCode(3)
        case .failed: throw ExitCode(1)
        }
    }

    func decode<Answer: Decodable>(_ type: Answer.Type, _ body: Data) throws -> Answer {
        do {
            return try JSON.decode(type, from: body)
        } catch {
            throw CommandFailure("the daemon's answer can't be read: \(error); do program and daemon have one version?")
        }
    }

    /// The deploy and state directories: those given, else the daemon's.
    func directories(deploy: String?, state: String?) async throws -> (deploy: String, state: String) {
        if let deploy, let state { return (deploy, state) }
        let status = try decode(DaemonStatus.self, try await send("GET", "/status"))
        return (deploy ?? status.deploy, state ?? status.state)
    }

    func send(_ method: String, _ path: String, accepting: Int? = nil) async throws -> Data {
        do {
            return try await client.send(method, path, accepting: accepting)
        } catch {
            throw CommandFailure("\(error)")
        }
    }
}

/// Why a subcommand failed, and its exit status.
struct CommandFailure: Error {
    var message: String
    var status: Int32

    init(_ message: String, status: Int32 = 1) {
        self.message = message
        self.status = status
    }

    func report() { Terminal.error(message) }
}
