import Files
import Foundation
import Glibc
import Ledger
import Registry
import Releases
import Reliability
import WorkerProtocol

/// One step of the stores in a process of its own, so that a test can stop it or fail it at any system call, or cut the
/// power.
///
/// `store-drill found FOLDER` makes a base and a task, `prepare` with them a deploy directory with three releases and a
/// ledger of three entries, and `wreck` makes of these what a crash leaves.
/// `start|publish|canary|promote|reject|rollback|retire|recover|append|keep` does that one thing between two calls of
/// `rmdir` that a trace of the process shows: `start` is the repair at a first start and the first release, `canary`
/// publishes a candidate, which `promote` and `reject` are about, `append` takes the entries' messages. The
/// environment's `STORE_DRILL_ACKNOWLEDGE` names a program that is run with the name of what is acknowledged, a step or
/// an entry; see `Syncs` for `STORE_DRILL_SYNC`.
@main struct Drill {
    let folder: String
    let syncs: Syncs
    /// Of the entries to append.
    var messages: [String] = []

    var store: ReleaseStore { ReleaseStore(deploy: folder + "/deploy") }

    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 || (arguments.count > 3 && arguments[1] == "append"),
            let syncs = Syncs.chosen(ProcessInfo.processInfo.environment)
        else {
            let steps = "start|publish|canary|promote|reject|rollback|retire|recover|append|keep"
            print("usage: store-drill found|prepare|wreck|\(steps) FOLDER ...")
            exit(2)
        }
        let messages = arguments.count == 3 ? ["four"] : Array(arguments[3...])
        let drill = Drill(folder: arguments[2], syncs: syncs, messages: messages)
        do {
            try await FileCalls.$current.withValue(syncs.fileCalls) { try await drill.main(arguments[1]) }
        } catch {
            print("\(error)")
            exit(1)
        }
    }

    private func main(_ step: String) async throws {
        switch step {
        case "found": try found()
        case "prepare": try await prepare()
        case "wreck": try wreck()
        default:
            rmdir("\(folder)/begins")
            try await run(step)
            rmdir("\(folder)/ends")
        }
    }

    private func run(_ step: String) async throws {
        switch step {
        case "start":
            _ = try store.recover()
            try publish(value: 9, created: "2026-01-09T00:00:00Z")
        case "publish": try publish(value: 9, created: "2026-01-09T00:00:00Z")
        case "canary": try publish(value: 8, created: "2026-01-08T00:00:00Z", isCandidate: true)
        case "promote": _ = try store.promoteCandidate(4)
        case "reject": try store.dropCandidate()
        case "rollback": _ = try store.rollback(to: 1, created: "2026-01-09T00:00:00Z")
        case "retire":
            for number in try store.retire(keep: 1, grace: .zero, now: .distantFuture) { print("retired \(number)") }
        case "recover":
            _ = try store.recover()
            _ = try Ledger(path: ledger)
        case "append": return try await append(messages) { try acknowledge($0) }
        case "keep": _ = try await TaskStore(directory: folder + "/kept").keep(task(), root: folder + "/registry")
        default: exit(2)
        }
        try acknowledge(step)
    }

    private func acknowledge(_ name: String) throws {
        guard let program = ProcessInfo.processInfo.environment["STORE_DRILL_ACKNOWLEDGE"] else { return }
        try PlainProgram.run([program, name])
    }

    var ledger: String { folder + "/ledger.jsonl" }

    private func append(_ messages: [String], then acknowledge: (String) throws -> Void = { _ in }) async throws {
        let ledger = try Ledger(path: ledger, calls: syncs.ledgerCalls)
        for message in messages {
            try await ledger.append(LedgerEvent(.scanned, message: message))
            try acknowledge(message)
        }
    }

    private func found() throws {
        try Durable.createDirectories(folder + "/base")
        try Durable.createDirectories(folder + "/registry/tasks/amber")
        try Durable.replace(folder + "/base/config.json", with: Array(#"{"model_type":"bert"}"#.utf8))
        try Durable.replace(folder + "/registry/tasks/amber/model.safetensors", with: Candidate.file(7))
    }

    private func prepare() async throws {
        try found()
        _ = try store.recover()
        for value: UInt8 in 1...3 { try publish(value: value, created: "2026-01-0\(value)T00:00:00Z") }
        try await append(["one", "two", "three"])
    }

    private func publish(value: UInt8, created: String, isCandidate: Bool = false) throws {
        let staging = try store.makeStaging(merge: "merge-\(value)")
        let record = try Candidate(value: value, created: created, base: folder + "/base").write(to: staging)
        _ = try store.publish(
            staging: staging, baseDirectory: folder + "/base", record: record, isCandidate: isCandidate)
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
