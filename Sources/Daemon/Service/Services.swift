import Logging
import Registry
import ServiceLifecycle
import UnixSignals

/// The loop itself. Stopping it stops a running worker.
struct ReconcilerService: Service {
    let reconciler: Reconciler

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await reconciler.run()
        } onGracefulShutdown: {
            Task { await reconciler.stop() }
        }
    }
}

/// Wakes the reconciler when something moves in the registry; without it the timer still does.
struct WatcherService: Service {
    let registry: String
    let reconciler: Reconciler
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdownQuietly {
            while !Task.isCancelled {
                do {
                    let watcher = try RegistryWatcher(registry: registry)
                    defer { watcher.stop() }
                    let timer = Task {
                        var known: Set<String> = []
                        while true {
                            await watcher.ready()
                            let unwatched = watcher.unwatched
                            let new = Set(unwatched.keys).subtracting(known)
                            await reconciler.watch(failingBecause: Self.fault(unwatched: unwatched.keys.sorted()))
                            if let folder = new.min(), let code = unwatched[folder] {
                                logger.warning(
                                    "folders can't be watched; changes in them are seen by the slow timer only",
                                    metadata: [
                                        "folders": "\(new.count)", "first": "\(folder)", "errno": "\(code)",
                                        "advice": "raise fs.inotify.max_user_watches",
                                    ])
                            }
                            known = Set(unwatched.keys)
                            try await Task.sleep(for: await reconciler.configuration.rescan)
                            watcher.rescanWatches()
                        }
                    }
                    defer { timer.cancel() }
                    for await _ in watcher.wakeUps { await reconciler.wake() }
                } catch {
                    logger.warning("the registry can't be watched", metadata: ["reason": "\(error)"])
                    await reconciler.watch(failingBecause: "\(error)")
                }
                try? await Task.sleep(for: await reconciler.configuration.rescan)
            }
        }
    }
}

extension WatcherService {
    /// Why changes in these folders are seen late; nil where there are none.
    private static func fault(unwatched: [String]) -> String? {
        guard let first = unwatched.first else { return nil }
        let others = unwatched.count > 1 ? " and \(unwatched.count - 1) more" : ""
        return "\(first)\(others) can't be watched; changes in it are seen by the slow timer only: raise "
            + "fs.inotify.max_user_watches"
    }
}

/// SIGHUP reads the configuration again and scans the registry.
struct ReloadService: Service {
    let file: String
    let reconciler: Reconciler

    func run() async throws {
        await cancelWhenGracefulShutdownQuietly {
            for await _ in await UnixSignalsSequence(trapping: .sighup) {
                let result: Result<Configuration, ConfigurationError>
                do throws(ConfigurationError) {
                    result = .success(try Configuration.load(file))
                } catch {
                    result = .failure(error)
                }
                await reconciler.reload(result)
            }
        }
    }
}

/// Runs until the service group shuts down.
private func cancelWhenGracefulShutdownQuietly(_ work: @Sendable @escaping () async -> Void) async {
    await cancelWhenGracefulShutdown(work)
}
