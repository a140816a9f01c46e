internal import Files
internal import Safetensors
internal import Torch
internal import WorkerProtocol

/// What calibration changes, as one more direction beside the task vectors: θp + (calibrated − start) / `whole` of
/// every tensor that it solved for, in float32 in `merge/correction.safetensors`, so that a release can be made again
/// without its examples.
struct Correction: VectorSource {
    static let path = "merge/correction.safetensors"
    /// The coefficient that gives the calibrated merge. Less than 1, where tanh has its bound: a fit can strengthen the
    /// correction as well as weaken it.
    static let whole = 0.5
    /// No task is called so: names begin with a letter or a digit.
    let name = ":correction"
    let checkpoint: Checkpoint
    let file: SafetensorsFile

    /// Opens a file that `write` wrote.
    init(path: String) throws {
        file = try SafetensorsFile(file: ReadableFile(path: path))
        checkpoint = Checkpoint(file, name: path)
    }

    /// Copies the file into a release.
    func copy(to directory: String) throws -> SourceFile {
        let target = try WritableFile(creating: directory + "/" + Self.path)
        var digest = Digest()
        let size = file.file.size
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        for offset in stride(from: 0, to: size, by: buffer.count) {
            let count = Int(min(size - offset, Int64(buffer.count)))
            try unsafe buffer.withUnsafeMutableBytes { bytes in
                let part = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
                try unsafe file.file.read(into: part, at: offset)
                try unsafe target.append(UnsafeRawBufferPointer(part))
                unsafe digest.update(UnsafeRawBufferPointer(part))
            }
        }
        try target.finish(sync: false)
        return SourceFile(name: Self.path, bytes: size, sha256: digest.hexadecimal())
    }

    func owns(_ name: String) -> Bool { checkpoint.entry(name) == nil }

    /// Writes the correction of `layers`, whose calibrated weights are in `parameters`, replacing `path`. What
    /// calibration left as it was is left out. Memory: two float32 copies of one layer.
    static func write(
        _ layers: [Int], _ parameters: ModelParameters, _ context: MergeContext, start: MergingWeights, to path: String
    ) throws {
        let temporary = path + ".tmp"
        try Durable.remove(temporary)
        let slots = layers.map { index in
            SafetensorsWriter.Slot(
                name: context.layers[index].name, dtype: .f32, shape: context.layers[index].shape)
        }
        let writer = try SafetensorsWriter(path: temporary, slots: slots)
        for index in layers {
            let merged = try Tensor(empty: context.layers[index].shape)
            try unsafe merged.withUnsafeMutableBytes { target in
                try unsafe context.vectors.forEachPiece(of: index) { piece in
                    let place = unsafe target.baseAddress! + piece.elements.lowerBound * 4
                    try unsafe context.vectors.merge(piece, of: index, start, into: place, .float32)
                }
            }
            let base = try context.base.tensor(context.layers[index].name).to(.float32)
            let moved = try parameters.tensors[index].subtracting(merged)
                .multiplied(by: 1 / whole).adding(base).contiguous()
            try unsafe moved.withUnsafeMutableBytes { try unsafe writer.append(UnsafeRawBufferPointer($0)) }
        }
        _ = try writer.finish()
        try Durable.rename(temporary, to: path)
    }
}

extension TaskVectors {
    /// The place of the correction among the sources; nil where there is none.
    var correction: Int? { tasks.last is Correction ? tasks.count - 1 : nil }

    /// The same task vectors and a correction behind them; digests are still taken from these here.
    func adding(_ correction: Correction) throws -> TaskVectors {
        let own = layers.map { correction.moves($0.name) && correction.checkpoint.entry($0.name)?.shape == $0.shape }
        return try TaskVectors(
            base: base, tasks: tasks + [correction], layers: layers, active: active + [own])
    }
}

extension MergeContext {
    /// The same merge with a correction beside the task vectors.
    func adding(_ correction: Correction) throws -> MergeContext {
        MergeContext(self, tasks: Array(tasks.indices), vectors: try vectors.adding(correction))
    }
}

extension MergingWeights {
    /// The same weights and those of one more direction, all at the one that gives `coefficient`, with gains of 1.
    func adding(coefficient: Double, _ layers: [Layer]) -> MergingWeights {
        var wider = MergingWeights(taskCount: taskCount + 1, layers: layers, coefficient: coefficient, squash: squash)
        for layer in layers.indices {
            for task in 0..<taskCount {
                wider.values.replaceSubrange(
                    wider.range(task: task, layer: layer), with: values[range(task: task, layer: layer)])
                wider.values.replaceSubrange(
                    wider.columnRange(task: task, layer: layer), with: values[columnRange(task: task, layer: layer)])
            }
        }
        return wider
    }
}
