import Foundation
package import Logging
import Subprocess
import SystemPackage
package import WorkerProtocol

/// Has tables of examples encoded by `supermerge worker --check`, a child in a session of its own that limits its own
/// memory, processor time and output before it reads a byte of them (`ExampleLimits`).
package struct ExampleWorker: Sendable {
    /// Path of the program.
    var executable: String
    var logger: Logger
    /// Time after which the child is killed.
    var patience = Duration.seconds(ExampleLimits.seconds)

    /// Bytes that the child may say on each of its outputs.
    private static let longestAnswer = 256 << 10

    package init(executable: String, logger: Logger) {
        self.executable = executable
        self.logger = logger
    }

    /// Carries a request out. A task that is cancelled kills the child.
    package func reply(to request: ExampleRequest) async -> ExampleReply {
        await withTaskGroup(of: ExampleReply?.self) { group in
            group.addTask { await run(request) }
            group.addTask {
                guard (try? await Task.sleep(for: patience)) != nil else { return nil }
                return limitReached(request, "\(ExampleLimits.seconds) s")
            }
            var reply: ExampleReply?
            while reply == nil, let next = await group.next() { reply = next }
            group.cancelAll()
            return Task.isCancelled ? .cancelled : reply ?? .cancelled
        }
    }

    private func run(_ request: ExampleRequest) async -> ExampleReply {
        do {
            let answer = try await ChildProcess(
                executable: .path(FilePath(executable)), arguments: ["worker", "--check"],
                input: Array(try JSON.encode(request))
            ).answer(limit: Self.longestAnswer)
            let words = String(decoding: answer.errors, as: UTF8.self)
            if !words.isEmpty { logger.debug("worker", metadata: ["says": "\(words.prefix(2000))"]) }
            if answer.status.isSuccess, let reply = try? JSON.decode(ExampleReply.self, from: Data(answer.output)) {
                return reply
            }
            return failure(request, answer.status, words)
        } catch {
            if Task.isCancelled { return .cancelled }
            return .failed(
                message: "\(executable) can't be run: \(error); check `worker` in the configuration")
        }
    }

    /// What a child that did not answer died of. Its own limits end it by a signal, as does a fault of ours; SIGKILL
    /// comes from elsewhere, for example from a kernel without memory.
    private func failure(
        _ request: ExampleRequest, _ status: TerminationStatus, _ words: String
    ) -> ExampleReply {
        switch status {
        case .signaled(let signal) where signal != SIGKILL:
            return limitReached(
                request,
                "\(ExampleLimits.memory >> 30) GiB of memory or \(ExampleLimits.processorSeconds) s of processor time "
                    + "(signal \(signal))")
        case .signaled:
            return .failed(message: "the worker that encodes \(request.examples.name) was killed (SIGKILL)")
        case .exited(let code):
            let last = words.split(separator: "\n").last.map { ": \($0.prefix(500))" } ?? ""
            return .failed(message: "the worker that encodes \(request.examples.name) ended with status \(code)\(last)")
        }
    }

    private func limitReached(_ request: ExampleRequest, _ limit: String) -> ExampleReply {
        .refused(
            code: "too-large",
            message:
                "\(request.examples.name) took more than \(limit) to encode; upload a few hundred examples, or shorter "
                + "ones")
    }
}
