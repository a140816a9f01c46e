package import Adapters
internal import Files
package import Safetensors
package import Tasks
package import WorkerProtocol

/// An opened task checkpoint θf(i): its tensors, which of them are its head, and its validation file.
package final class TaskModel {
    package let source: TaskSource
    /// Its tensors by the base's names; of an adapter those that it holds whole.
    package let checkpoint: Checkpoint
    /// Where the task was dropped as one.
    package let adapter: Adapter?
    package let validation: SafetensorsFile?
    /// Names of the tensors that belong to this task alone, sorted.
    package let head: [String]
    /// Those of them that the graph does not have and `task.yaml` does not name: admission would refuse them.
    let strays: [String]
    private let ties: TiedNames

    package var name: String { source.name }

    /// Opens the task's files, through links where admission let them pass, and decides its head against the tensors of
    /// the base, whose names are tied already.
    package init(_ source: TaskSource, base: Checkpoint, ties: TiedNames) throws {
        self.source = source
        adapter = try Self.adapter(source, base, ties)
        checkpoint =
            try adapter?.checkpoint
            ?? Checkpoint(directory: source.directory, root: "/", allowsAbsent: true).fitted(
                to: base, tied: ties.names, isNeeded: { !Self.owns($0, source.settings, ties) && !ties.isSpare($0) },
                isUsed: { ties.isUsed($0) || Self.owns($0, source.settings, ties) }
            ).tying(ties.groups)
        let path = source.examplesPath
        validation =
            try FileStatus.ifPresent(path) == nil
            ? nil : SafetensorsFile(file: ReadableFile(path: path, followingLinks: true))
        self.ties = ties
        head = checkpoint.names.filter { base.entry($0) == nil || Self.owns($0, source.settings, ties) }
        strays = head.filter { ties.isSpare($0) && !Self.owns($0, source.settings, ties) }
        if adapter == nil { try checkLayers(against: base) }
    }

    /// Opens the task's adapter, if it is one. What belongs to the head must be there whole.
    private static func adapter(_ source: TaskSource, _ base: Checkpoint, _ ties: TiedNames) throws -> Adapter? {
        guard Adapter.isPresent(directory: source.directory) else { return nil }
        do {
            let adapter = try Adapter(
                directory: source.directory, root: "/", base: base, tied: ties.names,
                isHead: { owns($0, source.settings, ties) })
            let partial = adapter.updates.keys.sorted().first { name in
                owns(name, source.settings, ties) && adapter.updates[name]?.structure != nil
            }
            guard let partial else { return adapter }
            throw AdmissionFault.partialHead([partial]).failure(of: source.name)
        } catch let error as AdapterError {
            if case .file(let fault) = error { throw fault }
            throw AdmissionFault(error).failure(of: source.name)
        }
    }

    /// How many choices, or texts of a pair, each example has; nil where it is one row of the graph's inputs.
    var choiceCount: Int? {
        if source.settings.objective == .similarity { return 2 }
        guard source.settings.objective == .multipleChoice else { return nil }
        return validation?.entry(ValidationCheck.choices)?.shape.dropFirst().first
    }

    /// Whether `task.yaml` gives this tensor of the base to the head, or the graph has no use for it and the task does
    /// not hold it: then the task neither moves nor needs it.
    func owns(_ name: String) -> Bool {
        Self.owns(name, source.settings, ties) || ties.isSpare(name) && checkpoint.entry(name) == nil
    }

    private static func owns(_ name: String, _ settings: TaskSettings, _ ties: TiedNames) -> Bool {
        settings.head.contains { prefix in ties.names(with: name).contains { $0.hasPrefix(prefix) } }
    }

    /// Every tensor of the base that is merged must be there in the same shape, but for the head. Integers are the
    /// base's own business: newer libraries don't save buffers such as position_ids.
    private func checkLayers(against base: Checkpoint) throws {
        for name in base.names where !owns(name) {
            guard let entry = base.entry(name), entry.dtype.isFloatingPoint else { continue }
            guard let own = checkpoint.entry(name) else {
                throw AdmissionFault.missingParameters([name]).failure(of: self.name)
            }
            if let fault = Checkpoint.mismatch(of: name, own.shape, base: entry.shape) {
                throw AdmissionFault.refused(code: "wrong-shape", message: fault).failure(of: self.name)
            }
            guard own.dtype.isFloatingPoint else {
                throw AdmissionFault.wrongType(name, own.dtype, base: entry.dtype).failure(of: self.name)
            }
        }
    }
}
