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
