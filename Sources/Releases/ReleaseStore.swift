package import Foundation
package import WorkerProtocol

/// A release that stands in `versions/`.
package struct Release: Hashable, Sendable {
    package var version: Int
    /// Absolute path of `versions/<N>`.
    package var directory: String
    package var record: ReleaseRecord
}

/// The deploy directory: staging, numbered immutable releases, `current`, `CURRENT.json`.
package struct ReleaseStore: Sendable {
    package var deploy: String

    package init(deploy: String) { self.deploy = deploy }

    /// Makes the layout, throws staging leftovers away, and makes `CURRENT.json` agree with `current` after a crash between
    /// the two. Returns the deployed release. Throws where the directory can't be written.
    package func recover() throws -> Release? { fatalError() }

    /// The release that `current` points at.
    package func current() throws -> Release? { fatalError() }

    /// Releases that still stand, oldest first.
    package func releases() throws -> [Release] { fatalError() }

    package func release(_ version: Int) throws -> Release { fatalError() }

    /// A new empty directory for a candidate, outside `versions/` and on the same file system.
    package func makeStaging(merge: String) throws -> String { fatalError() }

    package func discardStaging(_ path: String) throws { fatalError() }

    /// Completes the staged candidate (release.json, README.md, copies from the base by allow-list), makes everything read-only,
    /// fsyncs each file and directory, renames it to `versions/<N>`, fsyncs the parent, switches `current` by rename, fsyncs,
    /// replaces `CURRENT.json`. N is one more than any number ever used. A failed fsync throws the staging directory away.
    package func publish(staging: String, baseDirectory: String, record: ReleaseRecord) throws -> Release { fatalError() }

    /// Publishes the content of release `version` again under a new, higher number (hard links; record.rollbackOf set).
    package func rollback(to version: Int, created: String) throws -> Release { fatalError() }

    /// Deletes releases beyond the newest `keep` that are older than `grace` and not current. Returns what was deleted.
    package func retire(keep: Int, grace: Duration, now: Date) throws -> [Int] { fatalError() }

    /// Recomputes the digests of a release's files; returns the names that differ, are missing or are extra.
    package func verify(_ version: Int) throws -> [String] { fatalError() }
}
