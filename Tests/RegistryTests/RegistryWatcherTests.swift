import Foundation
import Testing

@testable import Registry

@Suite(.timeLimit(.minutes(20))) struct RegistryWatcherTests {
    let registry: TestRegistry
    init() throws { registry = try TestRegistry() }

    /// Lets wake-ups pass until `condition` holds at one.
    private func wakeUp(_ watcher: RegistryWatcher, until condition: @Sendable () -> Bool = { true }) async {
        for await _ in watcher.wakeUps where condition() { return }
    }

    @Test func everyKindOfMoveWakes() async throws {
        try registry.writeBase()
        try registry.writeTask()
        let moves: [() throws -> Void] = [
            { try registry.write("base/config.json", Array("{ }".utf8)) },
            { try registry.writeTask(settings: "weight: 2") },
            { try registry.remove("tasks/t/task.yaml") },
            {
                let tasks = registry.root + "/tasks"
                try FileManager.default.moveItem(atPath: tasks + "/t", toPath: tasks + "/.gone")
            },
        ]
        for move in moves {
            // A watcher for each, or a wake-up that one move has left would stand for the next.
            let watcher = try RegistryWatcher(registry: registry.root)
            await watcher.ready()
            await wakeUp(watcher)
            try move()
            await wakeUp(watcher)
            #expect(watcher.unwatched == [:])
            watcher.stop()
            watcher.stop()
        }
    }

    @Test func fileInANewFolderWakes() async throws {
        let watcher = try RegistryWatcher(registry: registry.root)
        await watcher.ready()
        await wakeUp(watcher)
        for number in 0..<20 {
            let folder = registry.root + "/tasks/t\(number)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            await wakeUp(watcher)
            await watcher.ready()
            try registry.write("tasks/t\(number)/task.yaml", [])
            await wakeUp(watcher)
        }
        watcher.stop()
    }

    @Test func overflowCountsAsAMoveOfFolders() throws {
        let queue = try InotifyQueue(path: registry.root)
        #expect(queue.watch(registry.root) == nil)
        let file = registry.root + "/file"
        var made = 0
        let limit = try #require(
            Int(String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8).dropLast()))
        // More than fit. No file is opened: a child of another test would inherit it, and its closing come after the
        // others.
        while made <= limit + 3000 {
            #expect(symlink("nowhere", file) == 0)
            unlink(file)
            made += 2
        }
        let found = queue.drain()
        #expect(found.concernsFolders)
        #expect(found.count <= limit + 1)
        queue.close()
        #expect(queue.watch(registry.root) == nil)
    }

    /// Watches that the kernel holds for a queue (proc(5)).
    private func watches(_ queue: InotifyQueue) throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/fdinfo/\(queue.descriptor)", encoding: .utf8)
        return text.split(separator: "\n").count { $0.hasPrefix("inotify ") }
    }

    private func move(_ from: String, _ to: String) throws {
        try FileManager.default.moveItem(atPath: from, toPath: to)
    }

    @Test func aFolderThatIsNotKeptWakesNobodyUntilItIsWatchedAgain() throws {
        try registry.writeTask()
        let (tasks, folder) = (registry.root + "/tasks", registry.root + "/tasks/t")
        let queue = try InotifyQueue(path: registry.root)
        #expect(queue.watch(tasks, holdsFolders: true) == nil)
        #expect(queue.watch(folder) == nil)
        let both = try watches(queue)
        #expect(both == 2)
        try move(folder, registry.path + "/away")
        #expect(queue.drain().concernsFolders)
        queue.keepOnly([tasks])
        let left = try watches(queue)
        #expect(left == 1)
        try Data([1]).write(to: URL(filePath: registry.path + "/away/task.yaml"), options: [])
        let quiet = queue.drain()
        #expect(quiet.count == 0, "the end of the watch is not told, either")
        #expect(!quiet.concernsFolders)
        try move(registry.path + "/away", folder)
        _ = queue.drain()
        #expect(queue.watch(folder) == nil)
        #expect(queue.forgetNewWatches())
        #expect(symlink("nowhere", folder + "/link") == 0)
        #expect(queue.drain().count > 0)
        queue.close()
    }

    @Test func aFolderInThePlaceOfAnotherHasItsWatch() throws {
        try registry.writeTask("a")
        try registry.writeTask("b")
        let tasks = registry.root + "/tasks"
        let queue = try InotifyQueue(path: registry.root)
        #expect(queue.watch(tasks + "/a") == nil)
        #expect(queue.watch(tasks + "/b") == nil)
        try move(tasks + "/a", registry.path + "/away")
        try move(tasks + "/b", tasks + "/a")
        #expect(queue.watch(tasks + "/a") == nil)
        queue.keepOnly([tasks + "/a"])
        let left = try watches(queue)
        #expect(left == 1)
        _ = queue.drain()
        try Data([1]).write(to: URL(filePath: registry.path + "/away/task.yaml"), options: [])
        #expect(queue.drain().count == 0)
        #expect(symlink("nowhere", tasks + "/a/link") == 0)
        #expect(queue.drain().count > 0)
        queue.close()
    }

    @Test func tasksThatLeaveTakeTheirWatchesWithThem() async throws {
        try registry.writeBase()
        for name in ["a", "b", "c"] { try registry.writeTask(name) }
        let tasks = registry.root + "/tasks"
        let watcher = try RegistryWatcher(registry: registry.root)
        await watcher.ready()
        await wakeUp(watcher)
        let all = try watches(watcher.events)
        #expect(all == 6, "the root, base, tasks and three of them")
        for (name, expected) in [("a", 5), ("b", 4)] {
            try move("\(tasks)/\(name)", "\(registry.path)/\(name)")
            await wakeUp(watcher) { (try? watches(watcher.events)) == expected }
        }
        try move(registry.path + "/a", tasks + "/a")
        await wakeUp(watcher) { (try? watches(watcher.events)) == 5 }
        try move(tasks, registry.path + "/tasks")
        await wakeUp(watcher) { (try? watches(watcher.events)) == 2 }
        try move(registry.path + "/tasks", tasks)
        await wakeUp(watcher) { (try? watches(watcher.events)) == 5 }
        #expect(watcher.unwatched == [:])
        watcher.stop()
    }

    @Test func aRootThatWasMovedAwayWakesWhenItIsBack() async throws {
        try registry.writeTask()
        let watcher = try RegistryWatcher(registry: registry.root)
        await watcher.ready()
        await wakeUp(watcher)
        try move(registry.root, registry.path + "/away")
        await wakeUp(watcher) { (try? watches(watcher.events)) == 1 }
        try move(registry.path + "/away", registry.root)
        await wakeUp(watcher) { (try? watches(watcher.events)) == 3 }
        watcher.stop()
    }

    @Test func rootThatComesLater() async throws {
        try FileManager.default.moveItem(atPath: registry.root, toPath: registry.path + "/away")
        let watcher = try RegistryWatcher(registry: registry.root)
        await watcher.ready()
        try FileManager.default.moveItem(atPath: registry.path + "/away", toPath: registry.root)
        watcher.rescanWatches()
        await wakeUp(watcher)
        try registry.writeBase()
        await wakeUp(watcher)
        watcher.stop()
    }

    @Test func removedRootWakes() async throws {
        let watcher = try RegistryWatcher(registry: registry.root)
        await watcher.ready()
        await wakeUp(watcher)
        try FileManager.default.removeItem(atPath: registry.root)
        await wakeUp(watcher)
        watcher.stop()
        for await _ in watcher.wakeUps {}
    }
}
