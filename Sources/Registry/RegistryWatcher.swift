import Dispatch
import Files
import Glibc
import Synchronization
import Tasks
import WorkerProtocol

/// Wakes the reconciler when something moves below the registry (inotify). It decides nothing: every wake-up says only
/// "look".
package final class RegistryWatcher: Sendable {
    /// Coalesced wake-ups, until the task is cancelled or `stop` is called. For one reader.
    package let wakeUps: AsyncStream<Void>

    private let registry: String
    private let queue = DispatchQueue(label: "registry-watcher")
    let events: InotifyQueue
    private let continuation: AsyncStream<Void>.Continuation
    private nonisolated(unsafe) let source: any DispatchSourceRead
    private let failures = Mutex<[String: Int32]>([:])

    /// Watches `registry`, `base`, `tasks`, each task folder and its folders of images; new folders are added and
    /// looked into at once; an
    /// overflow of the queue, a removed root and a failed watch are wake-ups too. A registry that is not there yet is
    /// watched from the first `rescanWatches` on that finds it.
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

    /// Watches folders that are not watched yet; to be called on the slow timer, for a root that was unmounted and came
    /// back.
    package func rescanWatches() {
        queue.async { [weak self] in self?.addWatches() }
    }

    /// Folders that could not be watched, with errno (`ENOSPC`: fs.inotify.max_user_watches). Changes in them are seen
    /// by the slow timer only.
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

    /// On the queue: watches the root and the folders that matter, and no other. What came into a new folder before its
    /// watch is found by the look that follows.
    private func addWatches() {
        var failed: [String: Int32] = [:]
        var absent: Set<String> = []
        let parents = [registry, "\(registry)/tasks"]
        let tasks = try? Durable.list(parents[1])
        let names = (tasks ?? []).filter { UploadRules.isTaskName($0) && !UploadRules.isIgnored($0) }
        let ofTasks = names.map { "\(registry)/tasks/\($0)" }
        let ofImages = ofTasks.flatMap { task in ExampleFiles.imageFolders.map { "\(task)/\($0)" } }
        let folders = parents + ["\(registry)/base"] + ofTasks + ofImages
        for folder in folders {
            guard let code = events.watch(folder, holdsFolders: parents.contains(folder)) else { continue }
            if code == ENOENT || code == ENOTDIR { absent.insert(folder) } else { failed[folder] = code }
        }
        // A list that can't be had just now says nothing of what is gone. A root that was moved away keeps its watch,
        // which tells when it is back.
        if tasks != nil || absent.contains(parents[1]) {
            events.keepOnly(Set(folders).subtracting(absent).union([registry]))
        }
        let isNew = failures.withLock { failures in
            defer { failures = failed }
            return !Set(failed.keys).isSubset(of: failures.keys)
        }
        if events.forgetNewWatches() || isNew { continuation.yield() }
    }
}
