import Files
import Foundation
import Glibc
import Registry
import Tasks
import Testing

@Suite struct SettlingTests {
    let registry: TestRegistry
    init() throws { registry = try TestRegistry() }

    @Test func dropIsAcceptedOnceStill() async throws {
        try registry.writeBase()
        try registry.writeTask()
        let scanner = registry.scanner()
        let first = try await scanner.scan()
        #expect(first.snapshot.base.reason != nil)
        #expect(first.snapshot.tasks["t"]?.reason != nil)
        #expect(first.lookAgainAfter == .seconds(5))
        registry.advance(.seconds(3))
        #expect(try await scanner.scan().lookAgainAfter == .seconds(2))
        registry.advance(.seconds(2))
        let last = try await scanner.scan()
        #expect(last.lookAgainAfter == nil)
        let task = try #require(last.snapshot.tasks["t"]?.content)
        #expect(task.examples == 3)
        #expect(task.source.files.map(\.name) == ["model.safetensors", "validation.safetensors"])
        #expect(task.source.directory == registry.root + "/tasks/t")
        let base = try #require(last.snapshot.base.content)
        #expect(base.headParameters == ["head.weight", "head.bias"])
        #expect(base.source.files.map(\.name) == ["config.json", "graph.pt2", "model.safetensors"])
        #expect(try await scanner.scan().snapshot == last.snapshot)
    }

    @Test func ownersAreTheFilesOwn() async throws {
        try registry.writeBase()
        try registry.writeTask()
        try registry.write("tasks/x y", [0])
        try FileManager.default.createSymbolicLink(
            atPath: registry.root + "/tasks/away", withDestinationPath: "/nowhere")
        let snapshot = try await registry.settledScan(registry.scanner())
        #expect(snapshot.tasks["away"]?.content == nil && snapshot.strays["x y"] != nil)
        let own = [User(geteuid())]
        #expect(snapshot.owners == ["base": own, "tasks/t": own, "tasks/x y": own, "tasks/away": own])
    }

    /// Of a link its maker's, and of what it leads to.
    @Test(.enabled(if: geteuid() == 0)) func everyOwnerCounts() async throws {
        try registry.writeBase()
        try registry.writeTask()
        let (file, store) = (registry.root + "/tasks/t/model.safetensors", registry.root + "/store")
        try FileManager.default.moveItem(atPath: file, toPath: store)
        try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "../../store")
        #expect(chown(store, 1, 0) == 0 && lchown(file, 2, 0) == 0)
        let snapshot = try await registry.settledScan(registry.scanner())
        #expect(snapshot.tasks["t"]?.content != nil)
        #expect(snapshot.owners["tasks/t"] == [User(0), User(1), User(2)])
    }

    @Test func growingFileIsNeverStill() async throws {
        try registry.writeBase()
        let whole = TestTensor.file(TestRegistry.taskTensors())
        let scanner = registry.scanner()
        _ = try await registry.settledScan(scanner)
        for length in stride(from: 0, to: whole.count, by: whole.count / 4) {
            try registry.write("tasks/t/model.safetensors", Array(whole[..<length]))
            let scan = try await scanner.scan()
            #expect(scan.snapshot.tasks["t"]?.reason != nil)
            #expect(scan.lookAgainAfter == .seconds(5))
            registry.advance(.seconds(4))
        }
        try registry.writeTask()
        #expect(try await registry.settledScan(scanner).tasks["t"]?.content != nil)
    }

    @Test func truncatedFileIsRefusedUntilItIsWhole() async throws {
        try registry.writeBase()
        try registry.writeTask()
        let whole = TestTensor.file(TestRegistry.taskTensors())
        try registry.write("tasks/t/model.safetensors", whole.dropLast())
        let scanner = registry.scanner()
        let refusal = try #require(try await registry.settledScan(scanner).tasks["t"]?.refusal)
        #expect(refusal.code == "truncated")
        #expect(!refusal.message.contains("\n"))
        #expect(try await scanner.scan().snapshot.tasks["t"]?.refusal == refusal)
        try registry.write("tasks/t/model.safetensors", whole)
        #expect(try await registry.settledScan(scanner).tasks["t"]?.content != nil)
    }

    @Test func oldRegistryNeedsNoWaitAtTheStart() async throws {
        try registry.writeBase()
        try registry.writeTask()
        let later = { @Sendable in RegistryScanner.systemTime() + 3_600_000_000_000 }
        let scan = try await registry.scanner(wallClock: later).scan()
        #expect(scan.snapshot.tasks["t"]?.content != nil)
        #expect(scan.lookAgainAfter == nil)
    }

    @Test func dropThatWasRenamedIntoPlaceWaitsForSettle() async throws {
        try registry.writeBase()
        try registry.writeTask(".new")
        let scanner = registry.scanner()
        #expect(try await registry.settledScan(scanner).tasks == [:])
        try FileManager.default.moveItem(atPath: registry.root + "/tasks/.new", toPath: registry.root + "/tasks/t")
        #expect(try await scanner.scan().lookAgainAfter == .seconds(5))
        registry.advance(.seconds(5))
        #expect(try await scanner.scan().snapshot.tasks["t"]?.content != nil)
    }

    @Test func changedContentIsANewVersion() async throws {
        try registry.writeBase()
        try registry.writeTask()
        let scanner = registry.scanner()
        let old = try #require(try await registry.settledScan(scanner).tasks["t"]?.content)
        try registry.writeTask(weights: TestRegistry.taskTensors(shift: 0.5))
        #expect(try await scanner.scan().snapshot.tasks["t"]?.reason != nil)
        registry.advance(.seconds(5))
        let new = try #require(try await scanner.scan().snapshot.tasks["t"]?.content)
        #expect(new.source.digest != old.source.digest)
    }

    @Test func removedFolderRemovesTheTask() async throws {
        try registry.writeBase()
        try registry.writeTask()
        let scanner = registry.scanner()
        _ = try await registry.settledScan(scanner)
        try registry.remove("tasks/t")
        let scan = try await scanner.scan()
        #expect(scan.snapshot.tasks["t"]?.reason == "its folder has just gone")
        #expect(scan.lookAgainAfter == .seconds(5))
        #expect(try await registry.settledScan(scanner).tasks == [:])
        try registry.remove("tasks")
        try registry.remove("base")
        #expect(try await scanner.scan().snapshot == RegistrySnapshot(base: .missing))
    }

    /// `mv tasks/t elsewhere; mv new tasks/t`: between the two the task is not removed, or the gate would forget it.
    @Test func replacedFolderIsNeverRemoved() async throws {
        try registry.writeBase()
        try registry.writeTask()
        let scanner = registry.scanner()
        let old = try #require(try await registry.settledScan(scanner).tasks["t"]?.content)
        try registry.remove("tasks/t")
        #expect(try await scanner.scan().snapshot.tasks["t"]?.reason != nil)
        registry.advance(.seconds(4))
        #expect(try await scanner.scan().lookAgainAfter == .seconds(1))
        try registry.writeTask(weights: TestRegistry.taskTensors(shift: 0.5))
        let new = try #require(try await registry.settledScan(scanner).tasks["t"]?.content)
        #expect(new.source.digest != old.source.digest)
    }

    @Test func folderReplacedWhileTheBaseSettlesIsNotRemoved() async throws {
        try registry.writeBase()
        try registry.writeTask()
        let scanner = registry.scanner()
        _ = try await registry.settledScan(scanner)
        try registry.write("base/config.json", Array("{ }".utf8))
        _ = try await scanner.scan()
        try registry.remove("tasks/t")
        #expect(try await scanner.scan().snapshot.tasks["t"]?.reason != nil)
    }

    @Test func folderReplacedAcrossARestartIsNotRemoved() async throws {
        try registry.writeBase()
        let scanner = registry.scanner()
        let scan = try await scanner.scan(expecting: ["t"])
        #expect(scan.snapshot.tasks["t"]?.reason != nil)
        #expect(scan.lookAgainAfter == .seconds(5))
        registry.advance(.seconds(5))
        #expect(try await scanner.scan(expecting: ["t"]).snapshot.tasks == [:])
        registry.advance(.seconds(1))
        let later = try await scanner.scan(expecting: ["t"])
        #expect(later.snapshot.tasks == [:] && later.lookAgainAfter == nil)
    }

    /// Small drops are read first, and a large one leaves the rest to the next look.
    @Test func aLargeDropDelaysNoWordAboutTheOthers() async throws {
        try registry.writeBase()
        for name in ["a", "b", "c"] { try registry.writeTask(name) }
        let head = TestTensor("head.extra", [4096], [Float](repeating: 1, count: 4096))
        try registry.writeTask("a", weights: TestRegistry.taskTensors() + [head], settings: "head: [head.]")
        let scanner = registry.scanner(mostRead: 1)
        var scan = try await scanner.scan()
        #expect(scan.lookAgainAfter == .seconds(5) && !scan.hasUnread)
        registry.advance(.seconds(5))
        for accepted in [["b"], ["b", "c"]] {
            scan = try await scanner.scan()
            #expect(scan.snapshot.tasks.filter { $0.value.content != nil }.keys.sorted() == accepted)
            #expect(scan.snapshot.tasks["a"]?.reason == "not read yet")
            #expect(scan.hasUnread && scan.lookAgainAfter == .zero)
        }
        scan = try await scanner.scan()
        #expect(scan.snapshot.tasks["a"]?.content != nil)
        #expect(!scan.hasUnread && scan.lookAgainAfter == nil)
    }

    @Test func folderThatWasEmptiedIsRefused() async throws {
        try registry.writeBase()
        try registry.writeTask()
        let scanner = registry.scanner()
        _ = try await registry.settledScan(scanner)
        for name in ["model", "validation"] { try registry.remove("tasks/t/\(name).safetensors") }
        #expect(try await scanner.scan().snapshot.tasks["t"]?.reason != nil)
        registry.advance(.seconds(5))
        #expect(try await scanner.scan().snapshot.tasks["t"]?.refusal?.code == "empty")
        try FileManager.default.createDirectory(
            atPath: registry.root + "/tasks/fresh", withIntermediateDirectories: false)
        #expect(try await registry.settledScan(scanner).tasks["fresh"]?.reason != nil, "nothing was there before")
    }

    @Test func missingRootIsAnError() async throws {
        try FileManager.default.removeItem(atPath: registry.root)
        let scanner = registry.scanner()
        await #expect(throws: RegistryError.self) { try await scanner.scan() }
    }

    @Test func missingShardIsWaitedForAndThenRefused() async throws {
        try registry.writeBase()
        try registry.writeTask()
        try registry.remove("tasks/t/model.safetensors")
        let index = """
            {"weight_map":{"trunk.weight":"a.safetensors","trunk.bias":"b.safetensors","head.weight":"b.safetensors",\
            "head.bias":"b.safetensors"}}
            """
        try registry.write("tasks/t/model.safetensors.index.json", Array(index.utf8))
        let tensors = TestRegistry.taskTensors()
        try registry.write("tasks/t/a.safetensors", TestTensor.file([tensors[0]]))
        let scanner = registry.scanner()
        #expect(try await scanner.scan().snapshot.tasks["t"]?.reason != nil)
        #expect(try await registry.settledScan(scanner).tasks["t"]?.refusal?.code == "missing-weights")
        try registry.write("tasks/t/b.safetensors", TestTensor.file(Array(tensors[1...])))
        let task = try #require(try await registry.settledScan(scanner).tasks["t"]?.content)
        #expect(
            task.source.files.map(\.name) == [
                "a.safetensors", "b.safetensors", "model.safetensors.index.json", "validation.safetensors",
            ])
    }

    @Test func newBaseIsHeldAgainstEveryTask() async throws {
        try registry.writeBase()
        try registry.writeTask()
        let scanner = registry.scanner()
        #expect(try await registry.settledScan(scanner).tasks["t"]?.content != nil)
        let other = [
            TestTensor("trunk.weight", [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]), TestTensor("trunk.bias", [4], [1, 2, 3, 4]),
        ]
        try registry.write("base/model.safetensors", TestTensor.file(other))
        #expect(try await scanner.scan().snapshot.tasks["t"]?.reason != nil)
        registry.advance(.seconds(5))
        #expect(try await scanner.scan().snapshot.tasks["t"]?.refusal?.code == "wrong-shape")
        try registry.remove("base")
        #expect(try await scanner.scan().snapshot.tasks["t"]?.reason?.contains("base") == true)
    }

    @Test func dropThatChangesWhileItIsReadArrivesAgain() async throws {
        try registry.writeBase()
        try registry.writeTask()
        let scanner = registry.scanner()
        _ = try await scanner.scan()
        registry.advance(.seconds(5))
        let registry = registry
        let scan = try await scanner.scan(onAdmission: { name, _ in
            if name == "t" { try? registry.writeTask(weights: TestRegistry.taskTensors(shift: 0.5)) }
        })
        #expect(scan.snapshot.tasks["t"]?.reason?.contains("changed") == true)
        #expect(scan.lookAgainAfter == .seconds(5))
        #expect(try await registry.settledScan(scanner).tasks["t"]?.content != nil)
    }

    enum Swap: String, CaseIterable, Sendable { case fileForLink, folderForLink }

    /// Between the listing and the reading a file or its folder becomes a link to what lies outside: that is not read.
    @Test(arguments: Swap.allCases) func swappedForALinkWhileItIsRead(swap: Swap) async throws {
        try registry.writeBase()
        try registry.writeTask()
        let (scanner, registry) = (registry.scanner(), registry)
        let (task, outside) = (registry.root + "/tasks/t", registry.path + "/outside")
        try FileManager.default.copyItem(atPath: task, toPath: outside)
        try Data(TestTensor.file(TestRegistry.taskTensors(shift: 0.5))).write(
            to: URL(filePath: outside + "/model.safetensors"))
        _ = try await scanner.scan()
        registry.advance(.seconds(5))
        let scan = try await scanner.scan(onAdmission: { name, _ in
            guard name == "t" else { return }
            let place = swap == .fileForLink ? "/model.safetensors" : ""
            try? FileManager.default.moveItem(atPath: task + place, toPath: registry.path + "/aside")
            try? FileManager.default.createSymbolicLink(atPath: task + place, withDestinationPath: outside + place)
        })
        #expect(scan.snapshot.tasks["t"]?.content == nil)
        #expect(try await registry.settledScan(scanner).tasks["t"]?.refusal?.code == "link-leaves-registry")
    }

    @Test func dropThatChangesAfterItWasReadArrivesAgain() async throws {
        try registry.writeBase()
        try registry.writeTask()
        let scanner = registry.scanner()
        _ = try await scanner.scan()
        registry.advance(.seconds(5))
        let registry = registry
        let weights = Int64(TestTensor.file(TestRegistry.taskTensors()).count)
        let scan = try await scanner.scan(onProgress: { bytes in
            if bytes == weights { try? registry.write("tasks/t/task.yaml", Array("weight: 2".utf8)) }
        })
        #expect(scan.snapshot.tasks["t"]?.reason?.contains("changed") == true)
        #expect(try await registry.settledScan(scanner).tasks["t"]?.content?.source.settings.weight == 2)
    }

    @Test func cancelledScanSaysSo() async throws {
        try registry.writeBase()
        try registry.writeTask()
        let scanner = registry.scanner()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await scanner.scan()
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func badDropDelaysNoGoodOne() async throws {
        try registry.writeBase()
        try registry.writeTask("a", weights: [])
        try registry.writeTask("b")
        try registry.write("tasks/c/model.safetensors", [1, 2, 3])
        let snapshot = try await registry.settledScan()
        #expect(snapshot.tasks["a"]?.refusal != nil)
        #expect(snapshot.tasks["b"]?.content != nil)
        #expect(snapshot.tasks["c"]?.refusal != nil)
    }
}
