/// Lets others run, once; throws where the test's time limit has passed, so that no wait for a state outlives it.
func turn() async throws {
    try Task.checkCancellation()
    await Task.yield()
}
