import Files
import Foundation
import Releases

extension Site {
    /// What `CURRENT.json` says.
    struct Pointer: Decodable {
        var version: Int
        var path: String
        var digest: String
    }

    /// The target of `current`, for example `versions/3`; nil where there is none.
    var current: String? { try? FileManager.default.destinationOfSymbolicLink(atPath: deploy + "/current") }

    func pointer() throws -> Pointer {
        try JSONDecoder().decode(Pointer.self, from: Data(contentsOf: URL(filePath: deploy + "/CURRENT.json")))
    }

    /// Numbers of the versions that stand.
    func versions() throws -> [Int] {
        try FileManager.default.contentsOfDirectory(atPath: deploy + "/versions").compactMap { Int($0) }.sorted()
    }

    /// The release that is deployed, by the project's own reader.
    func release() throws -> Release? { try ReleaseStore(deploy: deploy).current() }

    /// Path of a file of the deployed release.
    func deployed(_ file: String) -> String { deploy + "/current/" + file }

    /// The bytes of a file.
    func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: path)) }
}
