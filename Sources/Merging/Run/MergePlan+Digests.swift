internal import Files
internal import WorkerProtocol

extension MergePlan {
    /// Whether some files came without their digest, to be hashed by the merge itself.
    var hasUnhashedFiles: Bool { ([base.files] + tasks.map(\.files)).joined().contains { $0.sha256.isEmpty } }

    /// Sets missing digests from those of the files by path, and the digests over each folder anew.
    mutating func fillIn(sha256 digests: [String: String]) {
        func filled(_ files: [SourceFile], in directory: String) -> [SourceFile] {
            files.map { file in
                var file = file
                if file.sha256.isEmpty { file.sha256 = digests["\(directory)/\(file.name)"] ?? "" }
                return file
            }
        }
        base.files = filled(base.files, in: base.directory)
        base.digest = Digest.manifest(base.files.map { ($0.name, $0.sha256) })
        for index in tasks.indices {
            tasks[index].files = filled(tasks[index].files, in: tasks[index].directory)
            tasks[index].digest = Digest.manifest(tasks[index].files.map { ($0.name, $0.sha256) })
        }
    }
}
