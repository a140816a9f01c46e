import Foundation
import Logging
import Testing
import WorkerProtocol

@testable import Daemon

/// A worker that encodes examples: what its end means for the task.
@Suite struct ExampleWorkerTests {
    private static let request = ExampleRequest(
        task: .init(path: "/t", root: "/"), base: .init(path: "/b", root: "/"),
        examples: SourceFile(name: "validation.jsonl", bytes: 1, sha256: "x"), tokenizer: [],
        encoding: ExampleEncoding(TaskSettings(), classes: [], inputs: []), output: "/o")

    private static func reply(of path: String) async -> ExampleReply {
        await ExampleWorker(executable: path, logger: Logger(label: "test")).reply(to: request)
    }

    private func reply(_ body: String) async throws -> ExampleReply {
        let program = try FakeWorkerProgram(body)
        return await Self.reply(of: program.path)
    }

    @Test func handsOverWhatTheWorkerSays() async throws {
        let replies: [ExampleReply] = [
            .encoded, .refused(code: "malformed-examples", message: "validation.jsonl:1:2: no JSON"),
            .changed(message: "it changed"),
        ]
        for wanted in replies {
            let text = String(decoding: try JSON.encode(wanted), as: UTF8.self)
            #expect(try await reply("echo '\(text)'") == wanted)
        }
    }

    @Test func refusesWhatALimitEnds() async throws {
        let reply = try await reply("kill -XCPU $$")
        guard case .refused("too-large", let message) = reply else {
            Issue.record("\(reply)")
            return
        }
        #expect(message.hasPrefix("validation.jsonl took more than "))
    }

    @Test(arguments: ["exit 0", "echo nonsense", "echo trouble >&2; exit 3", "kill -KILL $$"])
    func blamesNoTaskForOtherEnds(body: String) async throws {
        let reply = try await reply(body)
        guard case .failed(let message) = reply else {
            Issue.record("\(reply)")
            return
        }
        #expect(message.contains("validation.jsonl"), "\(message)")
    }

    @Test func saysThatAProgramIsMissing() async {
        guard case .failed(let message) = await Self.reply(of: "/nope/supermerge") else {
            Issue.record("started")
            return
        }
        #expect(message.contains("/nope/supermerge can't be run"))
    }

    @Test func endsWithTheTaskThatIsCancelled() async throws {
        let program = try FakeWorkerProgram("sleep 600")
        let path = program.path
        let task = Task { await Self.reply(of: path) }
        task.cancel()
        #expect(await task.value == .cancelled)
    }
}
