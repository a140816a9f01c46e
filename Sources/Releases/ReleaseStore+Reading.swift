internal import Files
internal import Foundation
internal import Signing
internal import WorkerProtocol

extension ReleaseStore {
    /// Existing releases, oldest first. Folders in `versions/` without a readable record are left out.
    package func releases() throws -> [Release] {
        guard try FileStatus.ifPresent(versions, followingLinks: true) != nil else { return [] }
        return try Durable.list(versions).compactMap { Self.number($0) }.sorted().compactMap { try? release($0) }
    }

    /// Throws `ReleasesError.unknownRelease` if it does not exist, `badRecord` if its release.json is unreadable.
    package func release(_ version: Int) throws -> Release {
        let path = try recordPath(of: version)
        do {
            return try read(version, path)
        } catch let error as FilesError {
            throw ReleasesError.badRecord(path: path, reason: "\(error)")
        }
    }

    /// As `release(_:)`, but throws I/O errors as they are: a disk that fails temporarily is not a damaged release. A
    /// missing record, or one that is not a regular file, counts as damage.
    package func readableRelease(_ version: Int) throws -> Release {
        let path = try recordPath(of: version)
        do {
            return try read(version, path)
        } catch let error as FilesError {
            guard error.isDamage else { throw error }
            throw ReleasesError.badRecord(path: path, reason: "\(error)")
        }
    }

    /// As `releases()`, but throws I/O errors as they are.
    package func readableReleases() throws -> [Release] {
        try standing().sorted().compactMap { version -> Release? in
            do {
                return try readableRelease(version)
            } catch is ReleasesError {
                return nil
            }
        }
    }

    /// Path of the record of an existing release.
    private func recordPath(of version: Int) throws -> String {
        let directory = directory(of: version)
        guard try FileStatus.ifPresent(directory)?.kind == .directory else {
            throw ReleasesError.unknownRelease(version: version, deploy: deploy)
        }
        return "\(directory)/\(ReleaseContents.recordName)"
    }

    private func read(_ version: Int, _ path: String) throws -> Release {
        let record: ReleaseRecord
        do {
            record = try JSON.decode(ReleaseRecord.self, from: Data(Durable.contents(path)))
        } catch let error as FilesError {
            throw error
        } catch {
            throw ReleasesError.badRecord(path: path, reason: "it is not a release record")
        }
        guard record.version == version else {
            throw ReleasesError.badRecord(path: path, reason: "it belongs to release \(record.version)")
        }
        return Release(version: version, directory: directory(of: version), record: record)
    }

    /// Numbers of the folders in `versions/`, unordered. Their content is not read.
    package func standing() throws -> [Int] {
        guard try FileStatus.ifPresent(versions, followingLinks: true) != nil else { return [] }
        return try Durable.list(versions).compactMap { Self.number($0) }
    }

    /// Content of a release's report.html. Throws `ReleasesError.unknownRelease` if the release does not exist,
    /// `FilesError` if it has no report. Links out of the release are not followed.
    package func report(_ version: Int) throws -> [UInt8] {
        let directory = directory(of: version)
        guard try FileStatus.ifPresent(directory)?.kind == .directory else {
            throw ReleasesError.unknownRelease(version: version, deploy: deploy)
        }
        return try ReadableFile(name: ReleaseContents.reportName, beneath: directory).contents()
    }

    /// Recomputes the digests of a release's files. Returns the sorted names of files that differ, are missing or are
    /// extra.
    ///
    /// The files are compared with `release.json`; `verifySignature` checks that one. If it is unreadable, only its
    /// name is returned.
    package func verify(_ version: Int) throws -> [String] {
        let release: Release
        do {
            release = try self.release(version)
        } catch ReleasesError.badRecord {
            return [ReleaseContents.recordName]
        }
        var faults: Set<String> = []
        for output in release.record.result.outputs where (try? Self.isWhole(output, of: release)) != true {
            faults.insert(output.name)
        }
        let expected = Set(release.record.result.outputs.map(\.name))
            .union([ReleaseContents.recordName, ModelSignature.fileName])
        for (name, _) in try ReleaseContents.walk(release.directory) where !expected.contains(name) {
            faults.insert(name)
        }
        return faults.sorted()
    }

    /// Returns the sorted names of a release's files that differ or are missing. Unlike `verify` it throws I/O errors
    /// and ignores extra files, which do not affect servers.
    func damage(of release: Release) throws -> [String] {
        try Set(release.record.result.outputs.filter { try !Self.isWhole($0, of: release) }.map(\.name)).sorted()
    }

    private static func isWhole(_ output: SourceFile, of release: Release) throws -> Bool {
        do {
            let file = try ReadableFile(name: output.name, beneath: release.directory)
            return try file.size == output.bytes && file.sha256() == output.sha256
        } catch let error as FilesError where error.isDamage {
            return false
        }
    }
}
