internal import Files
internal import Safetensors
internal import Torch
internal import WorkerProtocol

/// `merge/coefficients.safetensors`: c(i,j), one float32 tensor per layer, [tasks] or [tasks, rows], 0 where a task
/// does not move the layer; and g(i,j), where there are gains, as `LAYER:columns`, [tasks, columns]. Where a layer is
/// called so itself, the gains have `:columns` once more. Layers are called as in the base's own files. A correction's
/// are `LAYER:correction`, [rows] or [], and `LAYER:correction:columns`, [columns], of the layers that it changes.
enum Coefficients {
    static let path = "merge/coefficients.safetensors"

    static func write(_ weights: MergingWeights, _ vectors: TaskVectors, to directory: String) throws -> SourceFile {
        let layers = vectors.layers
        try Durable.createDirectories(directory + "/merge")
        let tasks = 0..<(vectors.correction ?? weights.taskCount)
        var slots: [SafetensorsWriter.Slot] = []
        var values: [[Double]] = []
        for (index, names) in CoefficientNames.stored(layers, vectors.base).enumerated() {
            let (rows, columns) = (layers[index].weightRows, layers[index].weightColumns)
            let lengths = rows == 1 ? [] : [rows]
            slots.append(.init(name: names.rows, dtype: .f32, shape: [tasks.count] + lengths))
            values.append(tasks.flatMap { of($0, index, weights, vectors) })
            if columns > 0 {
                slots.append(.init(name: names.columns, dtype: .f32, shape: [tasks.count, columns]))
                values.append(tasks.flatMap { weights.gains(task: $0, layer: index) })
            }
            guard let correction = vectors.correction, vectors.active[correction][index] else { continue }
            slots.append(.init(name: names.correction, dtype: .f32, shape: lengths))
            values.append(of(correction, index, weights, vectors))
            guard columns > 0 else { continue }
            slots.append(.init(name: names.correctionColumns, dtype: .f32, shape: [columns]))
            values.append(weights.gains(task: correction, layer: index))
        }
        let writer = try SafetensorsWriter(path: directory + "/" + path, slots: slots)
        for values in values {
            let values = values.map(Float.init)
            try unsafe values.withUnsafeBytes { try unsafe writer.append($0) }
        }
        let written = try writer.finish()
        return SourceFile(name: path, bytes: written.bytes, sha256: written.sha256)
    }

    /// c(i,j) of one task and layer, one for each row; 0 where the task does not move the layer.
    static func of(_ task: Int, _ layer: Int, _ weights: MergingWeights, _ vectors: TaskVectors) -> [Double] {
        let values = weights.coefficients(task: task, layer: layer)
        return vectors.active[task][layer] ? values : values.map { _ in 0 }
    }

    /// The weights of the deployed release where they fit: a task with the same name starts from its old coefficients,
    /// a new one from `scale`, and with `hasCorrection` the weights behind the tasks' from the release's correction's;
    /// how many tasks are old, and the settings that they were fitted with. A release without coefficients, or of
    /// another base, gives none.
    static func warmStart(
        _ weights: MergingWeights, _ layers: [Layer], of files: Checkpoint, tasks: [TaskSource], base: BaseSource,
        deployed: DeployedSource, hasCorrection: Bool = false
    ) throws -> (weights: MergingWeights, known: Int, settings: ResolvedSettings?) {
        let file = deployed.directory + "/" + path
        guard let record = deployed.record, record.base == base.digest, record.settings.method.isLearned,
            try FileStatus.ifPresent(file) != nil
        else { return (weights, 0, nil) }
        let stored = try SafetensorsFile(file: ReadableFile(path: file))
        let places = Dictionary(uniqueKeysWithValues: record.tasks.enumerated().map { ($1.name, $0) })
        var weights = weights
        let names = CoefficientNames.recorded(layers, files, in: stored)
        let correction = hasCorrection ? tasks.count : nil
        for (index, layer) in layers.enumerated() where !layer.isStatistic {
            if let correction, let entry = stored.entry(names[index].correction) {
                weights.start(task: correction, layer: index, from: try stored.tensor(entry).doubles())
                if let gains = stored.entry(names[index].correctionColumns), gains.shape == [layer.weightColumns] {
                    weights.start(task: correction, layer: index, gains: try stored.tensor(gains).doubles()[...])
                }
            }
            guard let entry = stored.entry(names[index].rows), entry.shape.first == record.tasks.count else { continue }
            let values = try stored.tensor(entry).doubles()
            let rows = values.count / max(1, record.tasks.count)
            let gains = stored.entry(names[index].columns).flatMap {
                $0.shape == [record.tasks.count, layer.weightColumns] ? $0 : nil
            }
            let oldGains = try gains.map { try stored.tensor($0).doubles() } ?? []
            for (task, source) in tasks.enumerated() {
                guard let place = places[source.name] else { continue }
                let old = Array(values[place * rows..<(place + 1) * rows])
                // The task did not move this layer then, so nothing was learned.
                guard old.contains(where: { $0 != 0 }) else { continue }
                weights.start(task: task, layer: index, from: old)
                guard !oldGains.isEmpty else { continue }
                let first = place * layer.weightColumns
                weights.start(task: task, layer: index, gains: oldGains[first..<first + layer.weightColumns])
            }
        }
        return (weights, tasks.count { places[$0.name] != nil }, record.settings)
    }
}

extension MergingWeights {
    /// Sets the weights of one task and layer from coefficients: as they are, repeated for each row, or averaged.
    fileprivate mutating func start(task: Int, layer: Int, from coefficients: [Double]) {
        let places = range(task: task, layer: layer)
        let mean = coefficients.reduce(0, +) / Double(max(1, coefficients.count))
        for (row, place) in places.enumerated() {
            let coefficient = coefficients.count == places.count ? coefficients[row] : mean
            values[place] = squash.weight(forCoefficient: coefficient)
        }
    }

    fileprivate mutating func start(task: Int, layer: Int, gains: ArraySlice<Double>) {
        for (place, gain) in zip(columnRange(task: task, layer: layer), gains) {
            values[place] = squash.weight(forGain: gain)
        }
    }
}
