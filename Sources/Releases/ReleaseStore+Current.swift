internal import Files
internal import Foundation
internal import WorkerProtocol

extension ReleaseStore {
    /// The content of `CURRENT.json`, for programs that do not resolve links.
    struct Pointer: Codable, Hashable {
        var version: Int
        /// Absolute path of the release's directory.
        var path: String
        /// See `Release.digest`.
        var digest: String
    }

    /// The release that `current` points at; nil before the first release.
    package func current() throws -> Release? {
        guard let version = try currentNumber() else { return nil }
        return try release(version)
    }

    /// The number that `current` points at, whether or not that release exists.
    package func currentNumber() throws -> Int? { try number(ofLink: link) }

    /// The release that a link of this store points at; nil where there is no link.
    func number(ofLink link: String) throws -> Int? {
        guard let status = try FileStatus.ifPresent(link) else { return nil }
        guard status.kind == .link, let target = try Durable.linkTarget(link) else {
            throw ReleasesError.badCurrent(path: link, reason: "not a symbolic link")
        }
        let parts = target.pathNames
        let isOurs = target.hasPrefix("/") ? target.hasPrefix(versions + "/") : parts.count == 2
        guard isOurs, parts.count >= 2, parts[parts.count - 2] == "versions",
            let version = Self.number(parts[parts.count - 1])
        else {
            throw ReleasesError.badCurrent(path: link, reason: "points at \(target), which is no release of versions/")
        }
        return version
    }

    /// Describes a fault of `current` and `CURRENT.json`: a link to a directory without a record, or a disagreement.
    /// Nil if there is none, also before the first release. The two disagree for a moment while a release is published.
    package func faultOfCurrent() -> String? {
        do {
            let release = try current()
            let pointer = readPointer()
            guard let release else {
                return pointer.map { "there is no `current`, and CURRENT.json names release \($0.version)" }
            }
            let version = release.version
            guard let pointer else { return "CURRENT.json is missing or can't be read" }
            guard pointer.version == version else {
                return "`current` points at release \(version), and CURRENT.json names release \(pointer.version)"
            }
            guard pointer.path.ends(in: "/versions/\(version)") else {
                return "CURRENT.json has another path for release \(version)"
            }
            return pointer.digest == release.digest ? nil : "CURRENT.json has another digest of release \(version)"
        } catch {
            return "\(error)"
        }
    }

    func pointLink(at version: Int) throws {
        try Durable.pointLink(link, at: "versions/\(version)")
    }

    /// Returns nil if the file is missing, unreadable or damaged: it only repeats `current`.
    func readPointer() -> Pointer? { try? pointer() }

    /// As `readPointer`, but throws I/O errors, for callers whose decision depends on the content.
    func pointer() throws(FilesError) -> Pointer? {
        let bytes: [UInt8]
        do throws(FilesError) {
            bytes = try Durable.contents(pointerFile, limit: 1 << 20)
        } catch {
            if error.isDamage { return nil }
            throw error
        }
        return try? JSON.decode(Pointer.self, from: Data(bytes))
    }

    func writePointer(to release: Release) throws {
        try Durable.replace(pointerFile, with: pointerBytes(release))
    }

    /// Writes the new `CURRENT.json` beside the old one and returns its path.
    func preparePointer(to release: Release) throws -> String {
        try Durable.prepare(pointerFile, with: pointerBytes(release))
    }

    private func pointerBytes(_ release: Release) throws -> [UInt8] {
        let pointer = Pointer(version: release.version, path: release.directory, digest: release.digest)
        return try Array(JSON.encode(pointer)) + [UInt8(ascii: "\n")]
    }

    /// Makes `CURRENT.json` agree with `current`.
    func agreePointer(with release: Release?) throws {
        guard let release else {
            try Durable.remove(pointerFile)
            return
        }
        let pointer = Pointer(version: release.version, path: release.directory, digest: release.digest)
        if readPointer() != pointer { try writePointer(to: release) }
    }
}
