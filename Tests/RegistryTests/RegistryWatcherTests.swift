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
        // More than fit, also where the other tests leave no descriptor for some.
        while made <= limit + 3000 {
            close(creat(file, 0o600))
            unlink(file)
            made += 3
        }
        let found = queue.drain()
        #expect(found.concernsFolders)
        #expect(found.count <= limit + 1)
        queue.close()
        #expect(queue.watch(registry.root) == nil)
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
