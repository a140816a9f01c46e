import Synchronization
import Testing
import WorkerProtocol

@testable import Daemon

/// Examples that are encoded beside the scans.
@Suite struct BackgroundEncodingTests {
    /// Requests that were begun, each of which ends when the test says how.
    private final class Asked: Sendable {
        private let waiting = Mutex<[String: CheckedContinuation<ExampleReply, Never>]>([:])
        let begun: AsyncStream<String>
        private let tell: AsyncStream<String>.Continuation

        init() { (begun, tell) = AsyncStream.makeStream() }

        func ask(_ request: ExampleRequest) async -> ExampleReply {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    waiting.withLock { $0[request.output] = continuation }
                    tell.yield(request.output)
                }
            } onCancel: {
                end(request.output, .cancelled)
            }
        }

        func end(_ output: String, _ reply: ExampleReply) {
            waiting.withLock { $0.removeValue(forKey: output) }?.resume(returning: reply)
        }
    }

    private func request(_ output: String) -> ExampleRequest {
        ExampleRequest(
            task: .init(path: "/t", root: "/"), base: .init(path: "/b", root: "/"),
            examples: SourceFile(name: "validation.jsonl", bytes: 1, sha256: "x"), tokenizer: [],
            encoding: ExampleEncoding(TaskSettings(), classes: [], inputs: []), output: output)
    }

    /// The reply, once there is one: looks again after every other task had its turn.
    private func reply(_ encoding: BackgroundEncoding, _ output: String) async -> ExampleReply {
        while true {
            if let reply = encoding.reply(to: request(output)) { return reply }
            await Task.yield()
        }
    }

    @Test func nobodyWaitsAndOneRunsAtATime() async throws {
        let asked = Asked()
        let encoding = BackgroundEncoding(ask: asked.ask)
        var begun = asked.begun.makeAsyncIterator()
        #expect(encoding.reply(to: request("/1")) == nil)
        #expect(encoding.reply(to: request("/2")) == nil)
        #expect(await begun.next() == "/1")
        #expect(encoding.reply(to: request("/1")) == nil)
        asked.end("/1", .refused(code: "malformed-examples", message: "no JSON"))
        #expect(await begun.next() == "/2")
        #expect(await reply(encoding, "/1") == .refused(code: "malformed-examples", message: "no JSON"))
        asked.end("/2", .failed(message: "no room"))
        #expect(await reply(encoding, "/2") == .failed(message: "no room"))
        // A machine that was to blame may have recovered.
        #expect(encoding.reply(to: request("/2")) == nil)
        #expect(await begun.next() == "/2")
        asked.end("/2", .encoded)
    }

    @Test func cancelsWhatRunsAndStartsNothingElse() async throws {
        let asked = Asked()
        let encoding = BackgroundEncoding(ask: asked.ask)
        var begun = asked.begun.makeAsyncIterator()
        #expect(encoding.reply(to: request("/1")) == nil)
        #expect(encoding.reply(to: request("/2")) == nil)
        #expect(await begun.next() == "/1")
        await encoding.cancel()
        #expect(await reply(encoding, "/1") == .cancelled)
        #expect(await reply(encoding, "/2") == .cancelled)
    }
}
