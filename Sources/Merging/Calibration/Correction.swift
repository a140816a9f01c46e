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

    /// Writes the correction of `layers`, whose calibrated weights are given, replacing `path`. What calibration left
    /// as it was is left out. Memory: three float32 copies of one layer.
    static func write(
        _ layers: [Int], _ calibrated: CalibratedWeights, _ context: MergeContext, start: MergingWeights,
        to path: String
    ) throws {
        try write(layers, context, to: path) { index in
            let moved = try calibrated.solution(index).clone()
            try moved.add(merged(index, context.vectors, start), alpha: -1)
            return moved
        }
    }

    /// Writes what several corrections with their weights come to as one, of which the whole is that, replacing `path`.
    static func fold(_ corrections: [Int], _ weights: MergingWeights, _ context: MergeContext, to path: String) throws {
        let vectors = context.vectors
        let layers = context.layers.indices.filter { layer in corrections.contains { vectors.active[$0][layer] } }
        let alone = weights.keeping(corrections)
        try write(layers, context, to: path) { index in
            let moved = try merged(index, vectors, alone)
            try moved.add(context.base.tensor(context.layers[index].name).to(.float32), alpha: -1)
            return moved
        }
    }

    /// θm of a layer in float32.
    private static func merged(_ index: Int, _ vectors: TaskVectors, _ weights: MergingWeights) throws -> Tensor {
        let merged = try Tensor(empty: vectors.layers[index].shape)
        try unsafe merged.withUnsafeMutableBytes { target in
            try unsafe vectors.forEachPiece(of: index) { piece in
                let place = unsafe target.baseAddress! + piece.elements.lowerBound * 4
                try unsafe vectors.merge(piece, of: index, weights, into: place, .float32)
            }
        }
        return merged
    }

    /// `change`: by how much the whole of the correction moves a layer, in float32; it may be overwritten.
    private static func write(
        _ layers: [Int], _ context: MergeContext, to path: String, change: (Int) throws -> Tensor
    ) throws {
        let temporary = path + ".tmp"
        try Durable.remove(temporary)
        let slots = layers.map { index in
            SafetensorsWriter.Slot(
                name: context.layers[index].name, dtype: .f32, shape: context.layers[index].shape)
        }
        let writer = try SafetensorsWriter(path: temporary, slots: slots)
        for index in layers {
            let moved = try change(index)
            try moved.multiply(by: 1 / whole)
            try moved.add(context.base.tensor(context.layers[index].name).to(.float32))
            try unsafe moved.withUnsafeMutableBytes { try unsafe writer.append(UnsafeRawBufferPointer($0)) }
        }
        _ = try writer.finish()
        try Durable.rename(temporary, to: path)
    }
}

extension TaskVectors {
    /// The place of the correction among the sources; nil where there is none.
    var correction: Int? { tasks.last is Correction ? tasks.count - 1 : nil }
    /// Those of all corrections that a fit has.
    var corrections: [Int] { tasks.indices.filter { tasks[$0] is Correction } }

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

extension MergeInProgress {
    /// Makes one correction of several, as a release holds it, in a file of the `scratch` folder; the model that is
    /// merged stays the same but for rounding.
    mutating func foldCorrections(in scratch: String) throws {
        let corrections = context.vectors.corrections
        guard corrections.count > 1 else { return }
        let path = scratch + "/correction-folded.safetensors"
        try Correction.fold(corrections, weights, context, to: path)
        let (tasks, layers) = (0..<context.tasks.count, context.layers)
        context = try opened.adding(Correction(path: path))
        weights = weights.first(tasks.count, layers).adding(coefficient: Correction.whole, layers)
    }
}

extension MergingWeights {
    /// The weights of the first `count` tasks.
    func first(_ count: Int, _ layers: [Layer]) -> MergingWeights {
        var fewer = MergingWeights(taskCount: count, layers: layers, coefficient: 0, squash: squash)
        for layer in layers.indices { fewer.copy(layer, from: self, tasks: count) }
        return fewer
    }

    /// The same weights, those of other tasks all at coefficient 0.
    func keeping(_ tasks: [Int]) -> MergingWeights {
        var alone = self
        for task in 0..<taskCount where !tasks.contains(task) {
            for layer in rows.indices {
                for place in range(task: task, layer: layer) { alone.values[place] = squash.weight(forCoefficient: 0) }
            }
        }
        return alone
    }

    private mutating func copy(_ layer: Int, from other: MergingWeights, tasks count: Int) {
        for task in 0..<count {
            values.replaceSubrange(
                range(task: task, layer: layer), with: other.values[other.range(task: task, layer: layer)])
            values.replaceSubrange(
                columnRange(task: task, layer: layer), with: other.values[other.columnRange(task: task, layer: layer)])
        }
    }

    /// The same weights and those of one more direction, all at the one that gives `coefficient`, with gains of 1.
    func adding(coefficient: Double, _ layers: [Layer]) -> MergingWeights {
        var wider = MergingWeights(taskCount: taskCount + 1, layers: layers, coefficient: coefficient, squash: squash)
        for layer in layers.indices { wider.copy(layer, from: self, tasks: taskCount) }
        return wider
    }
}
