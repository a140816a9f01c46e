import ExportedGraph
import Foundation
import Registry
import Tasks
import Testing

/// Checkpoints that were made elsewhere; skipped where `../shared/zoo` is missing.
@Suite struct ZooTests {
    static let zoo = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/zoo")
    static var isThere: Bool { FileManager.default.fileExists(atPath: zoo.path) }

    @Test(.enabled(if: isThere, "the zoo is not there")) func visionTasksAreAccepted() async throws {
        let registry = try TestRegistry()
        try registry.remove("tasks")
        for folder in ["base", "tasks"] {
            try FileManager.default.copyItem(
                atPath: Self.zoo.appending(path: "vision/\(folder)").path, toPath: registry.root + "/\(folder)")
        }
        let snapshot = try await registry.settledScan(
            registry.scanner(readGraph: { try ExportedGraph(archive: $0).signature }))
        let base = try #require(snapshot.base.content)
        #expect(base.headParameters == ["classifier.weight", "classifier.bias"])
        #expect(snapshot.tasks.keys.sorted() == ["fashion_mnist", "fer2013_clean", "gtsrb", "mnist"])
        for task in snapshot.tasks.values { #expect(task.content?.examples == 256, "\(task)") }
    }

    @Test(.enabled(if: isThere, "the zoo is not there")) func adaptersOfAnotherBaseAreRefused() async throws {
        let registry = try TestRegistry()
        try registry.writeBase()
        for task in ["sst2", "trec6"] {
            try FileManager.default.copyItem(
                atPath: Self.zoo.appending(path: "text/tasks/\(task)").path, toPath: registry.root + "/tasks/\(task)")
        }
        let snapshot = try await registry.settledScan()
        #expect(snapshot.tasks["sst2"]?.refusal?.code == "adapter-mismatch")
        #expect(snapshot.tasks["trec6"]?.refusal?.code == "adapter-mismatch")
    }
}
