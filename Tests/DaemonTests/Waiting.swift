import Control

/// Lets others run, once; throws where the test's time limit has passed, so that no wait for a state outlives it.
func turn() async throws {
    try Task.checkCancellation()
    await Task.yield()
}

/// Returns when the task is cancelled: a worker that never ends by itself.
func cancellation() async {
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    for await _ in stream {}
    continuation.finish()
}

extension Duration {
    /// For limits that are not the test's subject: tests that wait for a process hold the few threads that all tests
    /// share, for minutes, while real time goes on.
    static let endless = Duration.seconds(86_400)
}

extension ControlClient {
    /// One that is never too late.
    init(patient socket: String) {
        self.init(socket: socket)
        connecting = 86_400
    }
}
