internal import Files
package import WorkerProtocol

extension MergePlan {
    /// Every file that goes in, by its full path.
    private var inputs: [(path: String, file: SourceFile)] {
        base.files.map { (base.directory + "/" + $0.name, $0) }
            + tasks.flatMap { task in task.files.map { (task.directory + "/" + $0.name, $0) } }
    }

    /// Throws `input-changed` where a file is not the one that was admitted. Called before the first read and after the
    /// last: what stood between two equal stamps are the bytes that were hashed.
    package func checkStamps() throws {
        for (path, file) in inputs where !file.stamp.isEmpty {
            // Admission stamps what a link leads to; an equal stamp is the same file, wherever the link leads now.
            guard let status = try? FileStatus(path: path, followingLinks: true),
                status.identity.description == file.stamp
            else {
                throw MergeError.changed(path)
            }
        }
    }
}
