internal import Files
package import Safetensors
package import WorkerProtocol

/// An opened task checkpoint θf(i): its tensors, which of them are its head, and its validation file.
package final class TaskModel {
    package let source: TaskSource
    package let checkpoint: Checkpoint
    package let validation: SafetensorsFile?
    /// Names of the tensors that belong to this task alone, sorted.
    package let head: [String]

    package var name: String { source.name }

    /// Opens the task's files, through links where admission let them pass, and decides its head against the base's tensors.
    package init(_ source: TaskSource, base: Checkpoint) throws {
        self.source = source
        checkpoint = try Checkpoint(directory: source.directory, root: "/")
        let path = source.directory + "/validation.safetensors"
        validation =
            try FileStatus.ifPresent(path) == nil
            ? nil : SafetensorsFile(file: ReadableFile(path: path, followingLinks: true))
        let prefixes = source.settings.head
        head = checkpoint.names.filter { name in
            base.entry(name) == nil || prefixes.contains { name.hasPrefix($0) }
        }
        try checkLayers(against: base)
    }

    /// Every tensor of the base outside the head must be there in the same shape.
    private func checkLayers(against base: Checkpoint) throws {
        let head = Set(head)
        for name in base.names where !head.contains(name) {
            guard let own = checkpoint.entry(name) else {
                throw MergeError.task(
                    self.name, "\(name) is missing from \(source.directory); copy the whole checkpoint")
            }
            let shape = base.entry(name)?.shape ?? []
            guard own.shape == shape else {
                throw MergeError.task(
                    self.name,
                    "\(name) has shape \(own.shape), the base \(shape); fine-tune from this base without resizing")
            }
        }
    }
}
