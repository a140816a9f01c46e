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
    private let ties: TiedNames

    package var name: String { source.name }

    /// Opens the task's files, through links where admission let them pass, and decides its head against the tensors of the
    /// base, whose names are tied already.
    package init(_ source: TaskSource, base: Checkpoint, ties: TiedNames) throws {
        self.source = source
        checkpoint = try Checkpoint(directory: source.directory, root: "/").tying(ties.groups)
        let path = source.directory + "/validation.safetensors"
        validation =
            try FileStatus.ifPresent(path) == nil
            ? nil : SafetensorsFile(file: ReadableFile(path: path, followingLinks: true))
        self.ties = ties
        head = checkpoint.names.filter { base.entry($0) == nil || Self.owns($0, source.settings, ties) }
        try checkLayers(against: base)
    }

    /// Whether `task.yaml` gives this tensor of the base to the head: then the task neither moves nor needs it.
    func owns(_ name: String) -> Bool { Self.owns(name, source.settings, ties) }

    private static func owns(_ name: String, _ settings: TaskSettings, _ ties: TiedNames) -> Bool {
        settings.head.contains { prefix in ties.names(with: name).contains { $0.hasPrefix(prefix) } }
    }

    /// Every tensor of the base that is merged must be there in the same shape, but for the head. Integers are the base's
    /// own business: newer libraries don't save buffers such as position_ids.
    private func checkLayers(against base: Checkpoint) throws {
        for name in base.names where !owns(name) {
            guard let entry = base.entry(name), entry.dtype.isFloatingPoint else { continue }
            guard let own = checkpoint.entry(name) else {
                throw MergeError.task(
                    self.name, "\(name) is missing from \(source.directory); copy the whole checkpoint")
            }
            guard own.shape == entry.shape else {
                throw MergeError.task(
                    self.name,
                    "\(name) has shape \(own.shape), the base \(entry.shape); fine-tune from this base without resizing"
                )
            }
            guard own.dtype.isFloatingPoint else {
                throw MergeError.task(
                    self.name, "\(name) is \(own.dtype.rawValue); save the fine-tune in a floating-point type")
            }
        }
    }
}
