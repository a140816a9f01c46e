internal import Files
internal import Safetensors

extension AdapterMatching {
    /// How each tensor of the base is changed, but for heads that are there whole. Throws where halves are missing or
    /// shapes don't fit.
    func updates(isHead: (String) -> Bool) throws(AdapterError) -> [String: TensorUpdate] {
        var updates: [String: TensorUpdate] = [:]
        for name in whole.keys.sorted() where !isHead(name) {
            guard let entry = base.entry(name), let own = held.entry(name) else { continue }
            if let fault = Checkpoint.mismatch(of: shown(name), own.shape, base: entry.shape) {
                throw .mismatch(fault)
            }
            guard entry.dtype.isReal else {
                throw .mismatch("\(shown(name)) is \(entry.dtype.rawValue) in the base and can't be merged")
            }
            updates[name] = TensorUpdate(isReplaced: true, structure: nil)
        }
        let orientation = Orientation(self)
        for name in parts.keys.sorted() {
            guard let parts = parts[name], let entry = base.entry(name), entry.dtype.isReal else {
                throw .mismatch("\(shown(name)) can't be merged: the base has no floating-point tensor of this name")
            }
            if let vector = parts.vector {
                try addGains(vector, of: parts.module, entry, orientation, to: &updates)
            } else if let bias = parts.bias {
                updates[name, default: .unchanged].structure = try shift(bias, of: parts.module, entry)
            } else {
                updates[name, default: .unchanged].structure = try product(parts, entry, orientation)
            }
        }
        return updates
    }

    /// s · B · A of one module, in the base's orientation.
    private func product(
        _ parts: Parts, _ entry: TensorEntry, _ orientation: Orientation
    ) throws(AdapterError) -> TensorUpdate.Structure {
        guard let a = parts.a.flatMap(file.entry), let b = parts.b.flatMap(file.entry) else {
            let half = parts.a == nil ? "lora_A" : "lora_B"
            throw .malformed(
                "the adapter has no \(half) for \(shown(parts.module)), only the other half; save it again with "
                    + "save_pretrained")
        }
        if let empty = [a, b].first(where: { $0.elementCount == 0 }) {
            throw .malformed(
                "tensor `\(shown(empty.name))` of the adapter is empty, \(empty.shape): \(Checkpoint.emptied)")
        }
        guard let rank = a.shape.first, rank > 0, b.shape.count > 1, b.shape[1] == rank else {
            throw .mismatch(
                "lora_A \(a.shape) and lora_B \(b.shape) of \(shown(parts.module)) don't multiply; save the adapter "
                    + "again"
            )
        }
        guard rank == configuration.rank || configuration.patternRanks.contains(rank) else {
            throw .mismatch(
                "\(shown(parts.module)) has rank \(rank), which neither `r` nor `rank_pattern` of "
                    + "\(AdapterConfiguration.fileName) says; put the configuration there that was saved with it")
        }
        let scale = configuration.scale(of: parts.module, rank: rank)
        guard Float(scale).isFinite else {
            throw .malformed("the scale of \(shown(parts.module)) is not a number; look at `lora_alpha`")
        }
        let direct = [b.shape[0]] + a.shape.dropFirst()
        if let structure = vocabulary(parts, a, b, entry, scale) { return structure }
        let isDirect = entry.shape == direct && b.shape.dropFirst(2).allSatisfy { $0 == 1 } && !parts.isEmbedding
        let isTransposed = a.shape.count == 2 && b.shape.count == 2 && entry.shape == direct.reversed()
        let transposes = parts.isEmbedding || (isTransposed && (!isDirect || orientation.isTransposed))
        if isDirect, isTransposed, !orientation.isCertain {
            throw .unsupported(
                "`fan_in_fan_out` holds for some modules only, and the shape of \(shown(parts.module)) does not tell; "
                    + "upload full weights")
        }
        guard transposes ? isTransposed : isDirect else {
            throw .mismatch(misfit(parts, direct, entry))
        }
        if transposes {
            return .lowRank(
                left: .init(a.name, isTransposed: true), right: .init(b.name, isTransposed: true), rank: rank,
                scale: scale)
        }
        return .lowRank(left: .init(b.name), right: .init(a.name), rank: rank, scale: scale)
    }

    /// The product for a vocabulary that was cut or padded at the end: nothing is added to rows that the adapter lacks.
    private func vocabulary(
        _ parts: Parts, _ a: TensorEntry, _ b: TensorEntry, _ entry: TensorEntry, _ scale: Double
    ) -> TensorUpdate.Structure? {
        guard Checkpoint.hasTokens(entry.name), a.shape.count == 2, b.shape.count == 2, entry.shape.count == 2 else {
            return nil
        }
        let (rows, columns) = parts.isEmbedding ? (a.shape[1], b.shape[0]) : (b.shape[0], a.shape[1])
        guard columns == entry.shape[1], Checkpoint.isCutOrPadded(rows, of: entry.shape[0]) else { return nil }
        let (left, right) = parts.isEmbedding ? (a, b) : (b, a)
        return .lowRank(
            left: .init(left.name, isTransposed: parts.isEmbedding, rows: entry.shape[0]),
            right: .init(right.name, isTransposed: parts.isEmbedding), rank: a.shape[0], scale: scale)
    }

    private func misfit(_ parts: Parts, _ product: [Int], _ entry: TensorEntry) -> String {
        let product = parts.isEmbedding ? product.reversed() : product
        if parts.isEmbedding, let fault = Checkpoint.mismatch(of: shown(entry.name), product, base: entry.shape) {
            return fault
        }
        return
            "lora_B · lora_A of \(shown(parts.module)) has shape \(product), the base's \(shown(entry.name)) "
            + "\(entry.shape); upload an adapter of this base"
    }

    /// What `lora_bias` adds to a bias.
    private func shift(
        _ name: String, of module: String, _ entry: TensorEntry
    ) throws(AdapterError) -> TensorUpdate.Structure {
        let weight = entry.name.dropLast("bias".count) + "weight"
        let rank = parts[String(weight)]?.a.flatMap(file.entry)?.shape.first
        guard let rank, let own = file.entry(name), own.shape == entry.shape, entry.shape.count == 1 else {
            throw .mismatch("the bias of lora_B of \(shown(module)) does not fit \(shown(entry.name)) \(entry.shape)")
        }
        return .lowRank(
            left: .init(name), right: .init(""), rank: 1, scale: configuration.scale(of: module, rank: rank))
    }
}
