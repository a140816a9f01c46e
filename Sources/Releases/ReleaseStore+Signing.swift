internal import Files
package import Signing
internal import WorkerProtocol

extension ReleaseStore {
    /// Writes `model.sig` over every other file of a complete staging directory. A no-op if no key is configured.
    func sign(_ directory: String, _ record: ReleaseRecord) throws {
        guard let signingKey else { return }
        let key = try signingKey.read()
        let files = try signedFiles(directory, record)
        let file = try WritableFile(creating: "\(directory)/\(ModelSignature.fileName)")
        try file.append(ModelSignature.make(model: "release-\(record.version)", files: files, key: key))
        try file.finish(sync: false)
    }

    /// Checks the signature of a release against its record. Returns the names of files whose signed digest differs,
    /// and of files that are only signed or only recorded. (`verify` compares the record with the files.)
    ///
    /// Throws `SigningError` if the signature is invalid or missing.
    package func verifySignature(_ version: Int, key: VerificationKey) throws -> [String] {
        let release = try release(version)
        let path = "\(release.directory)/\(ModelSignature.fileName)"
        guard try isSigned(version) else { throw SigningError.badSignature(path: path, reason: "it is not there") }
        return try ModelSignature.faults(
            Durable.contents(path, limit: ModelSignature.longest),
            files: signedFiles(release.directory, release.record), key: key, path: path)
    }

    /// Whether a release has a signature, by any key.
    package func isSigned(_ version: Int) throws -> Bool {
        try FileStatus.ifPresent("\(directory(of: version))/\(ModelSignature.fileName)") != nil
    }

    /// The signed files: the record's outputs and the record itself.
    private func signedFiles(_ directory: String, _ record: ReleaseRecord) throws -> [ModelSignature.File] {
        let recordFile = try ReadableFile(name: ReleaseContents.recordName, beneath: directory)
        return record.result.outputs.map { ($0.name, $0.sha256) } + [
            (ReleaseContents.recordName, try recordFile.sha256())
        ]
    }
}
