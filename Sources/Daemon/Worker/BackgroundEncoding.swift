import Synchronization
package import WorkerProtocol

/// Encodes examples beside the scans of the registry: the scan that needs some has the worker started and goes on
/// without them, and a later one takes them. One table at a time, as each may take gigabytes.
package final class BackgroundEncoding: Sendable {
    private enum Entry {
        case running(Task<Void, Never>)
        case ended(ExampleReply)
    }

    private struct State {
        /// Path of the output → how far it is.
        var entries: [String: Entry] = [:]
        var last: Task<Void, Never>?
    }

    private let ask: @Sendable (ExampleRequest) async -> ExampleReply
    private let state = Mutex(State())

    /// `ask`: carries a request out.
    package init(ask: @escaping @Sendable (ExampleRequest) async -> ExampleReply) { self.ask = ask }

    deinit { for task in running { task.cancel() } }

    /// What became of a request; nil while it is carried out. A reply other than `encoded` is given once: who asks
    /// again has it carried out again.
    package func reply(to request: ExampleRequest) -> ExampleReply? {
        state.withLock { state in
            switch state.entries[request.output] {
            case .ended(let reply)?:
                state.entries[request.output] = nil
                return reply
            case .running?: return nil
            case nil:
                let (ask, before) = (ask, state.last)
                let task = Task { [weak self] in
                    await before?.value
                    let reply = Task.isCancelled ? .cancelled : await ask(request)
                    self?.end(request.output, reply)
                }
                state.entries[request.output] = .running(task)
                state.last = task
                return nil
            }
        }
    }

    /// Where the tensors are written, the next scan finds them by itself.
    private func end(_ output: String, _ reply: ExampleReply) {
        state.withLock { $0.entries[output] = reply == .encoded ? nil : .ended(reply) }
    }

    /// Ends the worker that runs, and starts none of those that wait. Returns when it has ended.
    package func cancel() async {
        let running = running
        for task in running { task.cancel() }
        for task in running { await task.value }
    }

    private var running: [Task<Void, Never>] {
        state.withLock { state in
            state.entries.values.compactMap { if case .running(let task) = $0 { task } else { nil } }
        }
    }
}
