package import WorkerProtocol

/// A published release in `versions/`.
package struct Release: Hashable, Sendable {
    package var version: Int
    /// Absolute path of `versions/<N>`.
    package var directory: String
    package var record: ReleaseRecord

    package init(version: Int, directory: String, record: ReleaseRecord) {
        self.version = version
        self.directory = directory
        self.record = record
    }

    /// SHA-256 over the outputs as `sha256sum` lists them: `<sha256>  <name>` and a line feed each, sorted by name.
    package var digest: String { ReleaseContents.digest(of: record.result.outputs) }
}
