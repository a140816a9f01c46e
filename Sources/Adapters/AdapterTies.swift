internal import Files
internal import Safetensors

/// What an adapter does to a tensor that the base knows under several names: an embedding and the output layer that is
/// tied to it.
///
/// PEFT saves such a tensor whole under both names, or a product for each (`ensure_weight_tying`), and
/// `save_embedding_layers` adds copies of what the base has. Both are one update where they say the same. Reads the
/// tensors that it compares, a MiB at a time.
struct AdapterTies {
    /// A tensor of the adapter's file and what it means.
    struct Item {
        var entry: TensorEntry
        var key: AdapterKey
        /// Its target's name in the base.
        var name: String
    }

    let file: SafetensorsFile
    let base: Checkpoint

    /// The items without those that say again what another one says, or what the base has; what is left of a tied
    /// tensor has the name by which the base holds it. Throws where the adapter would untie two names. `tied` gives all
    /// names of a tensor, itself among them; `isTied`: PEFT was told to keep them tied.
    func resolved(_ items: [Item], tied: (String) -> [String], isTied: Bool) throws(AdapterError) -> [Item] {
        var groups: [String: [Item]] = [:]
        var rest: [Item] = []
        for item in items {
            let names = tied(item.name)
            if names.count > 1, let held = names.first(where: { base.entry($0) != nil }) {
                groups[held, default: []].append(item)
            } else {
                rest.append(item)
            }
        }
        for held in groups.keys.sorted() {
            let names = tied(held)
            let all = groups[held] ?? []
            let whole = all.filter { $0.key.isWhole }
            let factors = all.filter { !$0.key.isWhole }
            rest += try wholes(whole, names, held, isTied: isTied)
            rest += try products(factors, names, held, isTied: isTied)
        }
        return rest
    }

    private func wholes(
        _ items: [Item], _ names: [String], _ held: String, isTied: Bool
    ) throws(AdapterError) -> [Item] {
        guard var first = items.first else { return [] }
        var areCopies = true
        for item in items where areCopies { areCopies = try isCopy(item, held) }
        if areCopies { return [] }
        for item in items.dropFirst() where try !holdTheSame(first.entry, item.entry) {
            throw untying(item, names)
        }
        guard isTied || Set(items.map(\.name)).count == names.count else { throw untying(first, names) }
        first.name = held
        return [first]
    }

    private func products(
        _ items: [Item], _ names: [String], _ held: String, isTied: Bool
    ) throws(AdapterError) -> [Item] {
        guard let item = items.first else { return [] }
        let parts = Dictionary(grouping: items, by: \.name)
        guard isTied || parts.count == names.count else { throw untying(item, names) }
        let targets = parts.keys.sorted()
        for target in targets.dropFirst() where try !addTheSame(parts[targets[0]] ?? [], parts[target] ?? []) {
            throw untying(parts[target]?.first ?? item, names)
        }
        return (parts[targets[0]] ?? []).map { item in
            var item = item
            item.name = held
            return item
        }
    }

    private func untying(_ item: Item, _ names: [String]) -> AdapterError {
        .unsupported(
            "tensor `\(shown(item.entry.name))`: \(shown(item.name)) is tied to "
                + "\(shown(names.first { $0 != item.name } ?? "")) in the base, and the adapter would untie them; "
                + "train it with `ensure_weight_tying`, without this module, or from an untied base "
                + "(`tie_word_embeddings: false`)")
    }

    /// Whether two products are the same, each a LoRA's of a linear module or of an embedding, which is turned.
    private func addTheSame(_ first: [Item], _ second: [Item]) throws(AdapterError) -> Bool {
        guard let (left, right) = factors(first), let (otherLeft, otherRight) = factors(second) else { return false }
        guard try values(left) == values(otherLeft) else { return false }
        return try values(right) == values(otherRight)
    }

    /// B [rows, rank] and A [rank, columns] of a product in the orientation of an output layer.
    private func factors(_ items: [Item]) -> (left: (TensorEntry, Bool), right: (TensorEntry, Bool))? {
        var (a, b): ((TensorEntry, Bool)?, (TensorEntry, Bool)?)
        for item in items {
            switch item.key {
            case .lowA: a = (item.entry, false)
            case .lowB: b = (item.entry, false)
            case .embeddingA: b = (item.entry, true)
            case .embeddingB: a = (item.entry, true)
            default: return nil
            }
        }
        guard let a, let b else { return nil }
        return (b, a)
    }

    /// The elements of a factor, row by row, or of its transpose.
    private func values(_ factor: (entry: TensorEntry, isTurned: Bool)) throws(AdapterError) -> [Double]? {
        let entry = factor.entry
        guard entry.shape.count == 2 else { return nil }
        let values = try elements(of: entry)
        guard factor.isTurned else { return values }
        let (rows, columns) = (entry.shape[0], entry.shape[1])
        return (0..<columns).flatMap { column in (0..<rows).map { values[$0 * columns + column] } }
    }

    private func elements(of entry: TensorEntry) throws(AdapterError) -> [Double] {
        do throws(SafetensorsError) { return try file.elements(of: entry) } catch { throw .file(error) }
    }

    /// Whether two tensors of the file have the same type, shape and bytes.
    private func holdTheSame(_ first: TensorEntry, _ second: TensorEntry) throws(AdapterError) -> Bool {
        guard first.dtype == second.dtype, first.shape == second.shape else { return false }
        do throws(SafetensorsError) {
            return try file.holdsSame(first, second, of: file)
        } catch {
            throw .file(error)
        }
    }

    /// Whether a tensor has the values that the base has, in the rows that both have.
    private func isCopy(_ item: Item, _ held: String) throws(AdapterError) -> Bool {
        do throws(SafetensorsError) {
            return try base.holdsValues(of: item.entry, in: file, as: held)
        } catch {
            throw .file(error)
        }
    }
}

extension AdapterKey {
    /// Whether it is a tensor that was trained itself.
    fileprivate var isWhole: Bool { if case .whole = self { true } else { false } }
}
