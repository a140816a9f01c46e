internal import Files
internal import Safetensors

extension AdapterMatching {
    /// (IA)³: the vector scales a module's outputs, and with them the bias, or the inputs of a feed-forward module.
    func addGains(
        _ vector: String, of module: String, _ entry: TensorEntry, _ orientation: Orientation,
        to updates: inout [String: TensorUpdate]
    ) throws(AdapterError) {
        let shape = file.entry(vector)?.shape ?? []
        let length = shape.reduce(1, *)
        let misfit = AdapterError.mismatch(
            "the (IA)³ vector \(shape) of \(shown(module)) fits neither side of \(shown(entry.name)) \(entry.shape); "
                + "upload an adapter of this base")
        guard entry.shape.count > 1, shape.count == entry.shape.count, shape.count(where: { $0 != 1 }) < 2 else {
            throw misfit
        }
        guard updates[entry.name] == nil else {
            throw .unsupported(
                "\(shown(entry.name)) is saved whole and scaled, too; train it one way, or upload full weights")
        }
        let scalesInputs = try scalesInputs(module, vector: shape, entry)
        let isSquare = entry.shape[0] == entry.shape[1]
        guard !isSquare || entry.shape.count > 2 || orientation.isCertain else { throw misfit }
        let rowsAre = scalesInputs ? 1 : 0
        let transposes =
            entry.shape.count == 2 && (isSquare ? orientation.isTransposed : length != entry.shape[rowsAre])
        let axis = transposes ? 1 - rowsAre : rowsAre
        guard length == entry.shape[axis] else { throw misfit }
        let structure: TensorUpdate.Structure =
            axis == 0
            ? .rowGains(.init(vector))
            : .columnGains(.init(vector), repeats: entry.shape.dropFirst(2).reduce(1, *))
        updates[entry.name] = TensorUpdate(isReplaced: false, structure: structure)
        guard !scalesInputs else { return }
        let bias = entry.name.dropLast("weight".count) + "bias"
        guard let own = base.entry(String(bias)) else { return }
        guard own.shape == [length], updates[String(bias)] == nil else { throw misfit }
        updates[String(bias)] = TensorUpdate(isReplaced: false, structure: .rowGains(.init(vector)))
    }

    /// A linear module's vector says by its shape which side it scales, a convolution's only by its length.
    private func scalesInputs(
        _ module: String, vector: [Int], _ entry: TensorEntry
    ) throws(AdapterError) -> Bool {
        if vector.count == 2, vector[0] != vector[1] { return vector[0] == 1 }
        if let feedforward = configuration.feedforward { return feedforward.contains { module.hasSuffix($0) } }
        guard vector.count > 2, entry.shape[0] != entry.shape[1] else {
            throw .unsupported(
                "`feedforward_modules` is a regular expression that can't be resolved against the base for "
                    + "\(shown(module)); list the modules")
        }
        return vector.reduce(1, *) == entry.shape[1]
    }
}
