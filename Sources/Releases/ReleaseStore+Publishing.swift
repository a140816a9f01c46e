internal import Files
internal import Foundation
package import WorkerProtocol

extension ReleaseStore {
    /// Publishes a staged candidate as `versions/<N>`, where N is one more than any number ever used.
    ///
    /// Steps: complete the directory (release.json, README.md, report.html, bom.cdx.json, provenance.json, allow-listed
    /// files of the base), sign it if a key is configured, make it read-only, fsync each file and directory, rename it
    /// to `versions/<N>`, fsync the parent, write the new `CURRENT.json` beside the old one, switch `current` by
    /// rename, fsync, rename `CURRENT.json`.
    ///
    /// On an error before the switch the staging directory is deleted and `current` is unchanged; a failed fsync is
    /// never retried. Errors after the switch are reported to `onTrouble`, and the release stays deployed. Links among
    /// the base's files may not lead out of `root` (default: `baseDirectory`). `events` goes into the report.
    ///
    /// `isCandidate`: `candidate` is switched in place of `current`, which stays as it is.
    package func publish(
        staging: String, baseDirectory: String, record: ReleaseRecord, root: String? = nil,
        events: [ReportedEvent]? = nil, isCandidate: Bool = false
    ) throws -> Release {
        let directory = try ownStaging(staging)
        return try discardingOnFailure(directory) {
            try settlePending()
            var record = record
            record.version = try numbers().highest + 1
            record = try ReleaseContents.complete(
                directory: directory, baseDirectory: baseDirectory, record: record, root: root,
                previous: try? current()?.record, events: events)
            return try place(directory, record: record, isCandidate: isCandidate)
        }
    }

    /// Publishes the content of release `version` again under a new, higher number (hard links; record.rollbackOf set).
    package func rollback(
        to version: Int, created: String, ledger: LedgerHead? = nil, events: [ReportedEvent]? = nil
    ) throws -> Release {
        try settlePending()
        let source = try release(version)
        var record = source.record
        record.version = try numbers().highest + 1
        record.created = created
        record.rollbackOf = version
        record.ledger = ledger
        let directory = try makeStaging(merge: "rollback-\(record.version)")
        return try discardingOnFailure(directory) {
            record = try ReleaseContents.repeatContent(
                of: source, in: directory, record: record, previous: try? current()?.record, events: events)
            return try place(directory, record: record)
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

    /// Renames a complete staging directory to release `record.version` and switches `current`, or `candidate`, to it.
    private func place(
        _ directory: String, record: ReleaseRecord, isCandidate: Bool = false
    ) throws -> Release {
        let release = Release(
            version: record.version, directory: self.directory(of: record.version), record: record)
        try sign(directory, record)
        // The topmost directory stays writable until it has been renamed, which rewrites its `..`.
        try ReleaseContents.makeReadOnly(directory, withRoot: false)
        try Durable.syncTree(directory)
        try write(Numbers(highest: release.version, pending: true))
        try Durable.rename(directory, to: release.directory)
        var pointer: String?
        do {
            try ReleaseContents.makeReadOnly(release.directory)
            try Durable.syncDirectory(release.directory)
            try Durable.syncDirectory(versions)
            try Durable.syncDirectory(stagings)
            if isCandidate {
                try pointCandidate(at: release.version)
            } else {
                pointer = try preparePointer(to: release)
                try pointLink(at: release.version)
            }
        } catch {
            guard (try? isCandidate ? candidateNumber() : currentNumber()) == release.version else {
                if let pointer { try? Durable.remove(pointer) }
                try? throwAway(release.version)
                throw error
            }
            onTrouble(error)
        }
        // Deployed, or the candidate, now: a reader may have resolved the link, so nothing is undone from here on.
        do {
            if let pointer { try Durable.rename(pointer, to: pointerFile) }
            try Durable.syncDirectory(deploy)
            try write(Numbers(highest: release.version, pending: false))
        } catch {
            onTrouble(error)
        }
        return release
    }
}
