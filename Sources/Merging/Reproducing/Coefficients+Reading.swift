internal import Files
internal import Safetensors
internal import Torch
internal import WorkerProtocol

extension Coefficients {
    /// The coefficients and gains of a release as weights that are not squashed. Float32 holds them as the merge used
    /// them.
    ///
    /// Throws `MergeError` where the file has other layers, tasks or rows.
    static func read(
        _ layers: [Layer], of base: Checkpoint, tasks count: Int, hasCorrection: Bool = false, release directory: String
    ) throws -> MergingWeights {
        let file = try SafetensorsFile(file: ReadableFile(path: directory + "/" + path))
        var weights = MergingWeights(
            taskCount: count + (hasCorrection ? 1 : 0), layers: layers, coefficient: 0, squash: .identity)
        func values(_ name: String, length: Int) throws -> [Double] {
            guard let entry = file.entry(name), entry.shape == (length == 1 ? [count] : [count, length]) else {
                throw MergeError.base(
                    "\(path) of \(directory) has no \(name) for \(count) tasks and \(length) rows; it belongs to other "
                        + "inputs or to another version of this program")
            }
            return try file.floats(entry).map(Double.init)
        }
        let names = CoefficientNames.recorded(layers, base, in: file)
        for (index, layer) in layers.enumerated() {
            let rows = try values(names[index].rows, length: layer.weightRows)
            for task in 0..<count {
                let own = rows[task * layer.weightRows..<(task + 1) * layer.weightRows]
                weights.values.replaceSubrange(weights.range(task: task, layer: index), with: own)
            }
            if hasCorrection {
                try setCorrection(&weights, of: index, task: count, names[index], from: file)
            }
            guard layer.weightColumns > 0 else { continue }
            let gains = try values(names[index].columns, length: layer.weightColumns)
            for task in 0..<count {
                let own = gains[task * layer.weightColumns..<(task + 1) * layer.weightColumns]
                weights.values.replaceSubrange(
                    weights.columnRange(task: task, layer: index), with: own.map(weights.squash.weight(forGain:)))
            }
        }
        return weights
    }

    /// Those of the correction, which stand behind the tasks'; a layer that it does not change has none.
    private static func setCorrection(
        _ weights: inout MergingWeights, of layer: Int, task: Int, _ names: CoefficientNames, from file: SafetensorsFile
    ) throws {
        for (name, places) in [
            (names.correction, weights.range(task: task, layer: layer)),
            (names.correctionColumns, weights.columnRange(task: task, layer: layer)),
        ] {
            guard let entry = file.entry(name), entry.elementCount == places.count else { continue }
            let values = try file.floats(entry).map(Double.init)
            let isGain = name == names.correctionColumns
            weights.values.replaceSubrange(places, with: isGain ? values.map(weights.squash.weight(forGain:)) : values)
        }
    }
}
