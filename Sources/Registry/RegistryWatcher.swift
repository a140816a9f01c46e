import Dispatch
import Files
import Glibc
import Synchronization

/// Wakes the reconciler when something moves below the registry (inotify). It decides nothing: every wake-up says only "look".
package final class RegistryWatcher: Sendable {
    /// Coalesced wake-ups, until the task is cancelled or `stop` is called. For one reader.
    package let wakeUps: AsyncStream<Void>

    private let registry: String
    private let queue = DispatchQueue(label: "registry-watcher")
    private let events: InotifyQueue
    private let continuation: AsyncStream<Void>.Continuation
    private nonisolated(unsafe) let source: any DispatchSourceRead
    private let failures = Mutex<[String: Int32]>([:])

    /// Watches `registry`, `base`, `tasks` and each task folder; new folders are added and looked into at once; an overflow
    /// of the queue, a removed root and a failed watch are wake-ups too. A registry that is not there yet is watched from the
    /// first `rescanWatches` on that finds it.
    package init(registry: String) throws(RegistryError) {
        self.registry = registry
        events = try InotifyQueue(path: registry)
        (wakeUps, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        let source = DispatchSource.makeReadSource(fileDescriptor: events.descriptor, queue: queue)
        unsafe self.source = source
        source.setEventHandler { [weak self] in self?.takeEvents() }
        source.setCancelHandler { [events] in events.close() }
        queue.async { [weak self] in self?.addWatches() }
        source.activate()
    }

    deinit { stop() }

    /// Returns when every existing folder is watched (what tests await).
    package func ready() async {
        await withCheckedContinuation { done in queue.async { done.resume() } }
    }

    /// Watches folders that are not watched yet; to be called on the slow timer, for a root that was unmounted and came back.
    package func rescanWatches() {
        queue.async { [weak self] in self?.addWatches() }
    }

    /// Folders that could not be watched, with errno (`ENOSPC`: fs.inotify.max_user_watches). Changes in them are seen by the
    /// slow timer only.
    package var unwatched: [String: Int32] { failures.withLock { $0 } }

    /// Ends the wake-ups. May be called more than once.
    package func stop() {
        unsafe source.cancel()
        continuation.finish()
    }

    /// On the queue: reads what waits, and says "look" once.
    private func takeEvents() {
        let found = events.drain()
        if found.concernsFolders { addWatches() }
        if found.count > 0 { continuation.yield() }
    }

    /// On the queue: watches the root and the folders that matter. What came into a new folder before its watch is found by
    /// the look that follows.
    private func addWatches() {
        var failed: [String: Int32] = [:]
        let tasks = (try? Durable.list("\(registry)/tasks")) ?? []
        let drops =
            ["base"] + tasks.filter { DropRules.isTaskName($0) && !DropRules.isIgnored($0) }.map { "tasks/\($0)" }
        let parents = [registry, "\(registry)/tasks"]
        for folder in parents + drops.map({ "\(registry)/\($0)" }) {
            let code = events.watch(folder, holdsFolders: parents.contains(folder))
            if let code, code != ENOENT, code != ENOTDIR { failed[folder] = code }
        }
        let isNew = failures.withLock { failures in
            defer { failures = failed }
            return !Set(failed.keys).isSubset(of: failures.keys)
        }
        if events.forgetNewWatches() || isNew { continuation.yield() }
    }
}
