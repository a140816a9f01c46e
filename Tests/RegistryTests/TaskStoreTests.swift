import Files
import Foundation
import Registry
import Testing
import WorkerProtocol

@Suite struct TaskStoreTests {
    let path: String
    let store: TaskStore

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "kept-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path + "/registry/t", withIntermediateDirectories: true)
        store = TaskStore(directory: path + "/kept")
    }

    private func remove() { try? Durable.remove(path) }

    /// A task of two files as admission would describe it.
    private func task(_ text: String = "weights") throws -> TaskSource {
        let contents = ["model.safetensors": text, "task.yaml": "weight: 2"]
        let files = try contents.sorted { $0.key < $1.key }.map { name, text in
            let place = "\(path)/registry/t/\(name)"
            try Durable.replace(place, with: Array(text.utf8))
            return SourceFile(
                name: name, bytes: Int64(text.utf8.count), sha256: Digest.sha256(text.utf8),
                stamp: try FileIdentity.of(path: place).description)
        }
        return TaskSource(
            name: "t", directory: path + "/registry/t", files: files,
            digest: Digest.manifest(files.map { ($0.name, $0.sha256) }), settings: TaskSettings(weight: 2))
    }

    private func text(_ task: TaskSource) throws -> String {
        String(decoding: try Durable.contents(task.directory + "/model.safetensors"), as: UTF8.self)
    }

    @Test func keptFilesOutliveTheirDrop() async throws {
        defer { remove() }
        let task = try task()
        let kept = try await store.keep(task, root: path + "/registry")
        #expect(kept.digest == task.digest && kept.name == "t" && kept.settings == task.settings)
        try Durable.replace(path + "/registry/t/model.safetensors", with: Array("overwritten".utf8))
        #expect(try text(kept) == "weights")
        #expect(await store.find(task) == kept)
        #expect(await TaskStore(directory: path + "/kept").find(task) == kept)
        for file in kept.files {
            #expect(try FileIdentity.of(path: "\(kept.directory)/\(file.name)").description == file.stamp)
            #expect(try FileStatus(path: "\(kept.directory)/\(file.name)").mode & 0o222 == 0)
        }
    }

    @Test func overwriteInPlaceDoesNotReachTheCopy() async throws {
        defer { remove() }
        let kept = try await store.keep(task(), root: path + "/registry")
        let file = try FileHandle(forWritingTo: URL(filePath: path + "/registry/t/model.safetensors"))
        try file.write(contentsOf: Array("WEIGHTS".utf8))
        try file.close()
        #expect(try text(kept) == "weights")
    }

    @Test func linkInsideTheRegistryIsKeptAsItsFile() async throws {
        defer { remove() }
        let task = try task()
        try Durable.rename(path + "/registry/t/model.safetensors", to: path + "/registry/pool")
        symlink("../pool", path + "/registry/t/model.safetensors")
        let identity = try FileIdentity.of(path: path + "/registry/pool").description
        var linked = task
        linked.files[0].stamp = identity
        let kept = try await store.keep(linked, root: path + "/registry")
        #expect(try FileStatus(path: kept.directory + "/model.safetensors").kind == .regular)
        try Durable.remove(path + "/registry/pool")
        #expect(try text(kept) == "weights")
    }

    @Test func fileThatChangedSinceAdmissionIsNotKept() async throws {
        defer { remove() }
        let task = try task()
        try Durable.replace(path + "/registry/t/model.safetensors", with: Array("changed".utf8))
        await #expect { try await store.keep(task, root: path + "/registry") } throws: { error in
            if case TaskStoreError.changed = error { true } else { false }
        }
        #expect(await store.find(task) == nil)
        #expect(try Durable.list(path + "/kept") == [])
    }

    @Test func stampsThatAForeignHandChangedAreHeldAgainstTheDigests() async throws {
        defer { remove() }
        let task = try task()
        let kept = try await store.keep(task, root: path + "/registry")
        try Durable.changeMode(kept.directory + "/model.safetensors", to: 0o600)
        let again = try #require(await store.find(task))
        #expect(again != kept && again.digest == kept.digest)
        #expect(await store.find(task) == again)
        try Durable.remove(kept.directory + "/.stamps.json")
        #expect(await store.find(task) == again)
    }

    @Test(arguments: ["same length", "shorter", "gone"]) func damagedCopyIsThrownAway(damage: String) async throws {
        defer { remove() }
        let task = try task()
        let kept = try await store.keep(task, root: path + "/registry")
        let file = kept.directory + "/model.safetensors"
        switch damage {
        case "same length": try Durable.replace(file, with: Array("weightS".utf8))
        case "shorter": try Durable.replace(file, with: [])
        default: try Durable.remove(file)
        }
        #expect(await store.find(task) == nil)
        #expect(try Durable.list(path + "/kept") == [])
        #expect(try text(await store.keep(task, root: path + "/registry")) == "weights")
    }

    @Test func whatIsNotRetainedGoesWithLeftovers() async throws {
        defer { remove() }
        try await store.retain(["x"])
        let (old, _) = (try await store.keep(task("old"), root: path + "/registry"), 0)
        let new = try await store.keep(task("new"), root: path + "/registry")
        try Durable.createDirectories(path + "/kept/.incoming-\(old.digest)")
        try await store.retain([new.digest])
        #expect(try Durable.list(path + "/kept") == [new.digest])
    }
}
