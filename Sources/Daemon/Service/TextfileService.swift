import Files
import Logging
import ServiceLifecycle

/// Keeps a file of metrics for node_exporter's textfile collector. It is replaced whole when something changes, and not
/// more often than `pause`.
struct TextfileService: Service {
    /// Time that it waits for a change before it looks anyway.
    private static let patience = Duration.seconds(300)

    let path: String
    let deployment: String
    let reconciler: Reconciler
    let logger: Logger
    var pause = Duration.seconds(5)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var revision: Int?
            var isFailing = false
            while !Task.isCancelled {
                let before = isFailing ? nil : revision
                revision =
                    (try? await reconciler.watch(revision: before, after: nil, patience: Self.patience))?.revision
                if Task.isCancelled { break }
                guard revision != before else { continue }
                do {
                    try await write()
                    isFailing = false
                } catch {
                    if !isFailing {
                        logger.warning(
                            "the metrics file can't be written", metadata: ["path": "\(path)", "reason": "\(error)"])
                    }
                    isFailing = true
                }
                try? await Task.sleep(for: pause)
            }
        }
    }

    /// Readable by all: the collector is another user.
    func write() async throws {
        let text = await reconciler.metrics(deployment: deployment)
        try await BlockingIO.run { [path] in try Durable.replace(path, with: Array(text.utf8), mode: 0o644) }
    }
}
