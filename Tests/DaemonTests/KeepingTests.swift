import Control
import Files
import Foundation
import Ledger
import Registry
import Tasks
import Testing
import WorkerProtocol

@testable import Daemon

/// Deployed tasks whose drops go bad, with real files.
@Suite(.timeLimit(.minutes(20)))
struct KeepingTests {
    /// A task whose one file lies in the registry and holds `text`.
    private func task(_ name: String, _ text: String, in stand: DaemonStand) throws -> AcceptedTask {
        let folder = "\(stand.configuration.registry)/tasks/\(name)"
        try Durable.createDirectories(folder)
        let path = folder + "/model.safetensors"
        try Durable.replace(path, with: Array(text.utf8))
        let file = SourceFile(
            name: "model.safetensors", bytes: Int64(text.utf8.count), sha256: Digest.sha256(text.utf8),
            stamp: try FileIdentity.of(path: path).description)
        return AcceptedTask(
            source: TaskSource(
                name: name, directory: folder, files: [file], digest: Digest.manifest([(file.name, file.sha256)]),
                settings: TaskSettings()),
            examples: 8)
    }

    private func set(_ tasks: [AcceptedTask], in stand: DaemonStand) {
        stand.registry.set(Samples.snapshot(tasks, base: stand.base()))
    }

    private func keptNames(_ stand: DaemonStand) throws -> Set<String> {
        Set(try Durable.list(stand.configuration.state + "/tasks"))
    }

    /// What a worker finds in the files of a plan.
    private func contents(_ plan: MergePlan) -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: plan.tasks.map { task in
                let bytes = try? Durable.contents(task.directory + "/model.safetensors")
                return (task.name, bytes.map { String(decoding: $0, as: UTF8.self) } ?? "nothing")
            })
    }

    @Test func aBadReplacementKeepsTheOldVersionDeployedAndDelaysNobody() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        let (a, b) = (try task("a", "first", in: stand), try task("b", "other", in: stand))
        let seen = Log()
        stand.worker.behave { plan in
            seen.add(contents(plan))
            return await FakeWorker.succeed(plan)
        }
        try await stand.live { daemon in
            set([a, b], in: stand)
            #expect(await daemon.rescan(wait: true).version == 1)
            #expect(try keptNames(stand) == [a.source.digest, b.source.digest])
            let c = try task("c", "third", in: stand)
            _ = try task("a", "spoilt", in: stand)
            var snapshot = Samples.snapshot([b, c], base: stand.base())
            snapshot.tasks["a"] = .refused(Refusal(code: "truncated", message: "short", fingerprint: "f"))
            stand.registry.set(snapshot)
            #expect(await daemon.rescan(wait: true).version == 2)
            let status = await daemon.status()
            #expect(status.tasks.first { $0.name == "a" }?.message.contains("the deployed version stays") == true)
        }
        #expect(seen.all == [["a": "first", "b": "other"], ["a": "first", "b": "other", "c": "third"]])
    }

    @Test func aVersionThatNoReleaseNamesIsForgottenAndARollbackFindsItsOwn() async throws {
        let stand = try DaemonStand(Samples.snapshot([]), retain: 2)
        defer { stand.remove() }
        let versions = try (1...3).map { try task("a", "version \($0)", in: stand) }
        try await stand.live { daemon in
            for (number, version) in versions.enumerated() {
                // Its file was replaced by the later ones: written anew, with another stamp.
                let current = try task("a", "version \(number + 1)", in: stand)
                #expect(current.source.digest == version.source.digest)
                set([current], in: stand)
                #expect(await daemon.rescan(wait: true).version == number + 1)
            }
            #expect(try keptNames(stand) == Set(versions[1...].map(\.source.digest)))
            #expect(await daemon.rollback(to: 2).outcome == .done)
            #expect(await daemon.kept["a"]?.digest == versions[1].source.digest)
        }
    }

    @Test func aFileThatChangesBeforeThePublishIsMergedAgain() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        let a = try task("a", "first", in: stand)
        set([a], in: stand)
        stand.worker.behave { plan in
            guard contents(plan) == ["a": "first"], let new = try? task("a", "second", in: stand) else {
                return await FakeWorker.succeed(plan)
            }
            // The look that follows the merge does not see it yet.
            defer { Task { set([new], in: stand) } }
            return await FakeWorker.succeed(plan)
        }
        try await stand.live { daemon in
            while await daemon.status().deployed == nil {
                await daemon.wake()
                try await turn()
            }
        }
        #expect(try stand.store.current()?.record.tasks.first?.digest != a.source.digest)
        #expect(try await stand.kinds().contains(.mergeCancelled))
    }

    @Test func whatCantBeKeptIsPublishedAllTheSame() async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        let a = try task("a", "first", in: stand)
        set([a], in: stand)
        // A file where the folder should be.
        try Durable.replace(stand.configuration.state + "/tasks", with: [])
        try await stand.live { #expect(await $0.rescan(wait: true).version == 1) }
        let published = try Ledger.entries(path: stand.configuration.ledger).first { $0.event == .published }
        #expect(published?.details["not-kept"] != nil)
        try Durable.remove(stand.configuration.state + "/tasks")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            while await daemon.kept["a"] == nil { try await turn() }
        }
        #expect(try keptNames(stand) == [a.source.digest])
    }

    /// What workers saw, in order.
    private final class Log: @unchecked Sendable {
        private let lock = NSLock()
        private var entries: [[String: String]] = []

        var all: [[String: String]] { lock.withLock { entries } }

        func add(_ entry: [String: String]) { lock.withLock { entries.append(entry) } }
    }
}
