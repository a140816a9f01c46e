import Files
import Foundation

/// A folder with a short name (a socket's path has 103 bytes) that goes with its owner.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = "/tmp/sm-e2e-\(UUID().uuidString.prefix(13))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? Durable.remove(path) }
}
