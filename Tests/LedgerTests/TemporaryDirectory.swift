import Foundation
import Ledger

/// A directory of one test, removed with its last reference.
final class TemporaryDirectory: Sendable {
    let path: String

    /// In memory where the system has that: thousands of fsyncs.
    init() throws {
        let memory = "/dev/shm/"
        let parent = FileManager.default.isWritableFile(atPath: memory) ? memory : NSTemporaryDirectory()
        path = parent + "ledger-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var ledger: String { path + "/ledger.jsonl" }

    func bytes(_ name: String = "ledger.jsonl") throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: path + "/" + name)))
    }

    /// Opens the ledger after another has closed it; a process that another test starts may hold its lock for a moment.
    func reopen() async throws -> Ledger {
        while true {
            let result = Result { try Ledger(path: ledger) }
            if case .failure(let error as LedgerError) = result, error == .locked(path: ledger) {
                await Task.yield()
                continue
            }
            return try result.get()
        }
    }

    func write(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: ledger)) }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }
}
