internal import Files
internal import Foundation
internal import Torch
internal import WorkerProtocol

/// The programs of this process, by their bytes and their versions: which binary made a release.
enum BuildProvenance {
    /// `supermerge`, and what it computes with, as far as it is loaded.
    static func versions() -> [String: String] {
        var versions = TorchRuntime.versions()
        versions["supermerge"] = Product.version
        return versions
    }

    /// File name → SHA-256: this executable, and the library that runs graphs where it is loaded. What can't be read is
    /// left out.
    static func digests() -> [String: String] {
        var paths = ["/proc/self/exe"]
        // Each mapping's path is what follows its last space.
        let maps = (try? Durable.contents("/proc/self/maps")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        for line in maps.split(separator: "\n") where line.hasSuffix("/libsupermerge-torch.so") {
            guard let start = line.firstIndex(of: "/") else { continue }
            paths.append(String(line[start...]))
            break
        }
        var digests: [String: String] = [:]
        for path in paths {
            let place = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? path
            guard let name = place.pathNames.last,
                let digest = try? ReadableFile(path: path, followingLinks: true).sha256()
            else { continue }
            digests[name] = digest
        }
        return digests
    }
}
