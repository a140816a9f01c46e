import Files
import Foundation
import Glibc
import Ledger
import Registry
import Releases
import WorkerProtocol

/// One step of the stores in a process of its own, so that a test can stop it or fail it at any system call.
///
/// `store-drill prepare FOLDER` makes a deploy directory with three releases, a ledger of three entries and a task;
/// `store-drill publish|rollback|retire|recover|append|keep FOLDER` does that one thing between two calls of `rmdir` that a trace
/// of the process shows.
@main struct Drill {
    let folder: String

    var store: ReleaseStore { ReleaseStore(deploy: folder + "/deploy") }

    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else {
            print("usage: store-drill prepare|publish|rollback|retire|recover|append|keep FOLDER")
            exit(2)
        }
        let drill = Drill(folder: arguments[2])
        do {
            if arguments[1] == "prepare" {
                try await drill.prepare()
            } else {
                rmdir("\(drill.folder)/begins")
                try await drill.run(arguments[1])
                rmdir("\(drill.folder)/ends")
            }
        } catch {
            print("\(error)")
            exit(1)
        }
    }

    private func run(_ step: String) async throws {
        switch step {
        case "publish": try publish(value: 9, created: "2026-01-09T00:00:00Z")
        case "rollback": _ = try store.rollback(to: 1, created: "2026-01-09T00:00:00Z")
        case "retire":
            for number in try store.retire(keep: 1, grace: .zero, now: .distantFuture) { print("retired \(number)") }
        case "recover":
            _ = try store.recover()
            _ = try Ledger(path: ledger)
        case "append": try await append("four")
        case "keep": _ = try await TaskStore(directory: folder + "/kept").keep(task(), root: folder + "/registry")
        default: exit(2)
        }
    }

    private var ledger: String { folder + "/ledger.jsonl" }

    private func append(_ message: String) async throws {
        try await Ledger(path: ledger).append(LedgerEvent(.scanned, message: message))
    }

    private func prepare() async throws {
        try Durable.createDirectories(folder + "/base")
        try Durable.createDirectories(folder + "/registry/tasks/amber")
        try Durable.replace(folder + "/base/config.json", with: Array(#"{"model_type":"bert"}"#.utf8))
        try Durable.replace(folder + "/registry/tasks/amber/model.safetensors", with: Candidate.file(7))
        _ = try store.recover()
        for value: UInt8 in 1...3 { try publish(value: value, created: "2026-01-0\(value)T00:00:00Z") }
        for message in ["one", "two", "three"] { try await append(message) }
    }

    private func publish(value: UInt8, created: String) throws {
        let staging = try store.makeStaging(merge: "merge-\(value)")
        let record = try Candidate(value: value, created: created, base: folder + "/base").write(to: staging)
        _ = try store.publish(staging: staging, baseDirectory: folder + "/base", record: record)
    }

    private func task() throws -> TaskSource {
        let directory = folder + "/registry/tasks/amber"
        let bytes = Candidate.file(7)
        let file = SourceFile(
            name: "model.safetensors", bytes: Int64(bytes.count), sha256: Digest.sha256(bytes),
            stamp: try FileIdentity.of(path: directory + "/model.safetensors").description)
        return TaskSource(
            name: "amber", directory: directory, files: [file], digest: Digest.manifest([(file.name, file.sha256)]),
            settings: TaskSettings())
    }
}
