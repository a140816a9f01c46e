internal import Files
internal import Safetensors
internal import Tasks
internal import Torch
internal import WorkerProtocol

/// Writes the merged model, a piece of one tensor at a time: bounded memory, whatever the model.
struct CandidateWriter {
    let context: MergeContext
    let directory: String
    /// Written beside the model where it is wanted.
    var adapter: MergedAdapter?

    /// The trunk θm in the base's types, every task's head and what its configuration says of it, the coefficients, and
    /// the adapter where it is wanted. `progress` counts tensors.
    func write(_ weights: MergingWeights, progress: (Int, Int) throws -> Void) throws -> [SourceFile] {
        var outputs = try writeModel(weights, progress: progress)
        try Durable.createDirectories(directory + "/heads")
        for task in context.tasks where !task.head.isEmpty {
            outputs.append(try writeHead(task))
            if let configuration = try writeConfiguration(task) { outputs.append(configuration) }
        }
        outputs.append(try Coefficients.write(weights, context.vectors, to: directory))
        if let correction = context.vectors.tasks.last as? Correction {
            outputs.append(try correction.copy(to: directory))
        }
        if let adapter { outputs += try adapter.write(weights, to: directory) }
        return outputs
    }

    private func writeModel(
        _ weights: MergingWeights, progress: (Int, Int) throws -> Void
    ) throws -> [SourceFile] {
        let base = context.base
        let places = Dictionary(
            uniqueKeysWithValues: context.layers.indices.filter(context.vectors.isMoved).flatMap { index in
                context.layers[index].names.map { ($0, index) }
            })
        // Whatever loads the base by the names in its files loads the release.
        let entries = base.names.compactMap { base.entry($0) }.sorted {
            ($1.dtype.byteCount, base.storedName($0.name)) < ($0.dtype.byteCount, base.storedName($1.name))
        }
        let slots = entries.map {
            SafetensorsWriter.Slot(name: base.storedName($0.name), dtype: $0.dtype, shape: $0.shape)
        }
        let writer = try CheckpointWriter(
            directory: directory, slots: slots, shardBytes: context.settings.maxShardSize)
        let behind = unsafe WriteBehind { try unsafe writer.append($0) }
        for (done, entry) in entries.enumerated() {
            if let index = places[entry.name] {
                try writeLayer(index, weights, to: behind)
            } else {
                try copy(base, entry, of: nil, to: behind)
            }
            try progress(done + 1, entries.count)
        }
        try behind.finish()
        return try writer.finish().map { SourceFile(name: $0.name, bytes: $0.bytes, sha256: $0.sha256) }
    }

    /// Hands the merged layer on piece by piece, rounded to the base's type.
    private func writeLayer(_ index: Int, _ weights: MergingWeights, to behind: WriteBehind) throws {
        let dtype = context.layers[index].dtype
        try context.vectors.rule.prepare(index, of: context.vectors)
        try unsafe context.vectors.forEachPiece(of: index) { piece in
            try unsafe behind.write(piece.elements.count * dtype.byteCount) { result in
                try unsafe context.vectors.mergeFinite(
                    piece, of: index, weights, into: result.baseAddress!, dtype.torch ?? .float32)
            }
        }
    }

    private func writeHead(_ task: TaskModel) throws -> SourceFile {
        let name = "heads/\(task.name).safetensors"
        let own = task.checkpoint
        let entries = task.head.compactMap { own.entry($0) }.sorted {
            ($1.dtype.byteCount, own.olderName($0.name)) < ($0.dtype.byteCount, own.olderName($1.name))
        }
        let slots = entries.map {
            SafetensorsWriter.Slot(name: own.olderName($0.name), dtype: $0.dtype, shape: $0.shape)
        }
        let writer = try SafetensorsWriter(path: directory + "/" + name, slots: slots)
        let behind = unsafe WriteBehind { try unsafe writer.append($0) }
        for entry in entries { try copy(own, entry, of: task.name, to: behind) }
        try behind.finish()
        let written = try writer.finish()
        return SourceFile(name: name, bytes: written.bytes, sha256: written.sha256)
    }

    /// What the task's own configuration says of its head, where it is among the files that went in: releases from
    /// before they recorded it come out again without.
    private func writeConfiguration(_ task: TaskModel) throws -> SourceFile? {
        guard let source = task.source.files.first(where: { $0.name == HeadConfiguration.fileName }),
            source.bytes <= HeadConfiguration.longest
        else { return nil }
        let bytes = try ReadableFile(path: "\(task.source.directory)/\(source.name)", followingLinks: true)
            .contents(limit: HeadConfiguration.longest)
        guard let content = try HeadConfiguration(bytes)?.content() else { return nil }
        let name = "heads/\(task.name).json"
        let file = try WritableFile(creating: "\(directory)/\(name)")
        try file.append(content)
        try file.finish(sync: false)
        return SourceFile(name: name, bytes: Int64(content.count), sha256: Digest.sha256(content))
    }

    /// Passes a tensor's bytes on as they are, a megabyte at a time. Numbers that are not finite are the task's fault,
    /// or the base's.
    private func copy(
        _ checkpoint: Checkpoint, _ entry: TensorEntry, of task: String?, to behind: WriteBehind
    ) throws {
        let length = entry.bytes.upperBound - entry.bytes.lowerBound
        for offset in stride(from: 0, to: length, by: 1 << 20) {
            try unsafe behind.write(Int(min(length - offset, 1 << 20))) { part in
                try unsafe checkpoint.read(entry.name, at: offset, into: part)
                guard let dtype = entry.dtype.torch, let start = part.baseAddress else { return }
                guard unsafe dtype.isFinite(UnsafeRawPointer(start), count: part.count / dtype.byteCount) else {
                    let file = checkpoint.file(of: entry.name)?.file.path.splitPath.name ?? TaskLayout.weights
                    throw AdmissionFault.notFinite(entry.name, in: file).failure(of: task)
                }
            }
        }
    }
}
