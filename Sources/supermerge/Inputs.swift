import Files
import Foundation
import Merging
import Tasks
import WorkerProtocol

/// Builds a plan's sources from folders given on the command line.
enum Inputs {
    typealias Previous = (source: DeployedSource, digest: String)

    /// A merge to start from, with the SHA-256 of its record, which holds those of its coefficients.
    static func previous(_ directory: String) throws -> Previous {
        let path = directory + "/release.json"
        guard let bytes = try? Durable.contents(path),
            let record = try? JSON.decode(ReleaseRecord.self, from: Data(bytes))
        else {
            throw MergeError(
                kind: .environment,
                message:
                    "\(path) is no record of a merge; name an output of supermerge merge, or a release, with --previous"
            )
        }
        return (DeployedSource(record, directory: directory), Digest.sha256(bytes))
    }

    /// The last part of a folder's path, `.` and `..` resolved.
    static func taskName(_ directory: String) -> String {
        URL(filePath: directory).standardizedFileURL.lastPathComponent
    }

    static func isTaskName(_ name: String) -> Bool { UploadRules.isTaskName(name) }
}
