import Control
import Foundation
import WorkerProtocol

/// An operator's `rollback`, sent to a daemon that may be killed before it answers.
final class SentRollback {
    private let target: Int
    private let folder: TemporaryFolder
    private let client: ChildProcess

    init(_ site: Site, to version: Int) throws {
        target = version
        folder = try TemporaryFolder()
        client = try ChildProcess(
            Programs.control, ["--socket", site.socket, "rollback", "\(version)", "--json"],
            output: folder.path + "/output", errors: folder.path + "/errors")
    }

    /// The exit status of `supermergectl`, which ends with an answer or with the daemon.
    func status() throws -> Int32 { try client.wait() }

    /// The new release that `supermergectl` named and ended with 0 for. Nil where it did not, and where nothing was to
    /// be done.
    func acknowledged() throws -> Int? {
        guard try status() == 0 else { return nil }
        let answer = try Data(contentsOf: URL(filePath: folder.path + "/output"))
        let version = try JSON.decode(ActionReply.self, from: answer).version
        return version == target ? nil : version
    }
}
