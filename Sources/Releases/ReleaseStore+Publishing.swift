internal import Files
internal import Foundation
package import WorkerProtocol

extension ReleaseStore {
    /// Completes the staged candidate (release.json, README.md, copies from the base by allow-list), makes everything read-only,
    /// fsyncs each file and directory, renames it to `versions/<N>`, fsyncs the parent, switches `current` by rename, fsyncs,
    /// replaces `CURRENT.json`. N is one more than any number ever used.
    ///
    /// After an error the staging directory is gone and `current` stands where it stood; a failed fsync is never retried. Links
    /// among the base's files may not lead out of `root` (default: `baseDirectory`).
    package func publish(
        staging: String, baseDirectory: String, record: ReleaseRecord, root: String? = nil
    ) throws -> Release {
        let directory = try ownStaging(staging)
        return try discardingOnFailure(directory) {
            try settlePending()
            var record = record
            record.version = try numbers().highest + 1
            record = try ReleaseContents.complete(
                directory: directory, baseDirectory: baseDirectory, record: record, root: root)
            return try promote(directory, record: record)
        }
    }

    /// Publishes the content of release `version` again under a new, higher number (hard links; record.rollbackOf set).
    package func rollback(to version: Int, created: String) throws -> Release {
        try settlePending()
        let source = try release(version)
        var record = source.record
        record.version = try numbers().highest + 1
        record.created = created
        record.rollbackOf = version
        let directory = try makeStaging(merge: "rollback-\(record.version)")
        return try discardingOnFailure(directory) {
            record = try ReleaseContents.repeatContent(of: source, in: directory, record: record)
            return try promote(directory, record: record)
        }
    }

    private func discardingOnFailure(_ directory: String, _ body: () throws -> Release) throws -> Release {
        do {
            return try body()
        } catch {
            try? Durable.remove(directory)
            throw error
        }
    }

    /// Makes a complete staging directory release `record.version` and switches to it.
    private func promote(_ directory: String, record: ReleaseRecord) throws -> Release {
        let release = Release(
            version: record.version, directory: self.directory(of: record.version), record: record)
        let previous = try current()
        // The topmost directory stays writable until it has been renamed, which rewrites its `..`.
        try ReleaseContents.makeReadOnly(directory, withRoot: false)
        try Durable.syncTree(directory)
        try write(Numbers(highest: release.version, pending: true))
        try Durable.rename(directory, to: release.directory)
        do {
            try ReleaseContents.makeReadOnly(release.directory)
            try Durable.syncDirectory(release.directory)
            try Durable.syncDirectory(versions)
            try Durable.syncDirectory(stagings)
            try pointLink(at: release.version)
            try writePointer(to: release)
        } catch {
            undo(release, previous: previous)
            throw error
        }
        // Live already: should this fail, the next start finds `current` at this number and is content.
        try? write(Numbers(highest: release.version, pending: false))
        return release
    }

    /// Goes back to `previous` as far as the disk lets us; the next start does the rest.
    private func undo(_ release: Release, previous: Release?) {
        if (try? currentNumber()) == release.version {
            if let previous {
                try? pointLink(at: previous.version)
            } else {
                try? Durable.remove(link)
                try? Durable.syncDirectory(deploy)
            }
        }
        let stands: Int?
        do { stands = try currentNumber() } catch { return }
        guard stands != release.version else { return }
        try? agreePointer(with: previous)
        try? throwAway(release.version)
    }
}
