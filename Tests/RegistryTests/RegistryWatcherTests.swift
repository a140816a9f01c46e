import Foundation
import Registry
import Testing

@Suite(.timeLimit(.minutes(1))) struct RegistryWatcherTests {
    let registry: TestRegistry
    init() throws { registry = try TestRegistry() }

    /// Lets wake-ups pass until `condition` holds at one.
    private func wakeUp(_ watcher: RegistryWatcher, until condition: @Sendable () -> Bool = { true }) async {
        for await _ in watcher.wakeUps where condition() { return }
    }

    @Test func everyKindOfMoveWakes() async throws {
        try registry.writeBase()
        try registry.writeTask()
        let watcher = try RegistryWatcher(registry: registry.root)
        await watcher.ready()
        await wakeUp(watcher)
        try registry.write("base/config.json", Array("{ }".utf8))
        await wakeUp(watcher)
        try registry.writeTask(settings: "weight: 2")
        await wakeUp(watcher)
        try registry.remove("tasks/t/task.yaml")
        await wakeUp(watcher)
        try FileManager.default.moveItem(atPath: registry.root + "/tasks/t", toPath: registry.root + "/tasks/.gone")
        await wakeUp(watcher)
        #expect(watcher.unwatched == [:])
        watcher.stop()
        watcher.stop()
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

    @Test func overflowWakes() async throws {
        let watcher = try RegistryWatcher(registry: registry.root)
        await watcher.ready()
        await wakeUp(watcher)
        for number in 0..<20_000 { mkdir(registry.root + "/tasks/\(number % 2)", 0o700) }
        await wakeUp(watcher)
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
