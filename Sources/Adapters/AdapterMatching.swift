internal import Files
internal import Safetensors

/// The tensors of an adapter's file, put to the tensors of the base that they change.
struct AdapterMatching {
    /// The file's name of each kind of tensor that belongs to one target.
    struct Parts {
        var a: String?
        var b: String?
        var isEmbedding = false
        var bias: String?
        var vector: String?
        var module = ""
    }

    let file: SafetensorsFile
    let configuration: AdapterConfiguration
    let base: Checkpoint
    /// By the base's names.
    private(set) var parts: [String: Parts] = [:]
    /// Tensors that are there whole, by the base's names: what the file calls them.
    private(set) var whole: [String: String] = [:]
    /// The same with the base's vocabulary.
    private(set) var held: Checkpoint
    /// What the adapter calls the tensors of the base, by their names there.
    private(set) var targets: [String: String] = [:]

    /// Throws where a tensor's name is none of PEFT's, belongs to another kind of adapter, or finds no place in the
    /// base.
    init(
        _ file: SafetensorsFile, _ configuration: AdapterConfiguration, base: Checkpoint, tied: (String) -> [String]
    ) throws(AdapterError) {
        self.file = file
        self.configuration = configuration
        self.base = base
        held = Checkpoint(file, fileNames: [], stored: [:])
        var keys: [(entry: TensorEntry, key: AdapterKey)] = []
        let adapter = try AdapterKey.adapterName(in: file.entries.map(\.name))
        for entry in file.entries where !AuxiliaryTensors.isBuffer(entry.name, shape: entry.shape) {
            let key = try AdapterKey(entry.name, adapter: adapter)
            guard entry.dtype.isReal || key == .copy else {
                throw .unsupported(
                    "tensor `\(shown(entry.name))` is \(entry.dtype.rawValue); save the adapter in a floating-point "
                        + "type"
                )
            }
            guard key.fits(configuration.kind) else {
                throw .malformed(
                    "tensor `\(shown(entry.name))` is not of the kind that `peft_type` says; put the configuration "
                        + "there that was saved with the adapter")
            }
            keys.append((entry, key))
        }
        let rename = try Self.renaming(keys.map(\.key), base, tied)
        let items = keys.compactMap { entry, key in
            key.target.map { AdapterTies.Item(entry: entry, key: key, name: rename($0)) }
        }
        let resolved = try AdapterTies(file: file, base: base)
            .resolved(items, tied: tied, isTied: configuration.tiesWeights)
        // With bias="all" PEFT writes the biases of saved modules a second time, under the name that its wrapper gives
        // them.
        let isCopy = { (entry: TensorEntry) in entry.name.contains(".modules_to_save.") }
        for item in resolved.filter({ !isCopy($0.entry) }) + resolved.filter({ isCopy($0.entry) }) {
            if isCopy(item.entry), whole[item.name] != nil { continue }
            targets[item.name] = item.key.target
            try put(item.entry.name, item.key, as: item.name)
        }
        let changed = Set(parts.keys).union(whole.keys.filter { base.entry($0) != nil })
        guard !changed.isEmpty || resolved.count < items.count else {
            throw .mismatch("the adapter changes no tensor of the base; upload one that was trained on this base")
        }
        held = Checkpoint(file, fileNames: [], stored: whole).fittingVocabulary(to: base)
    }

    /// Which of the names that wrappers lead to finds all that is adapted in the base.
    private static func renaming(
        _ keys: [AdapterKey], _ base: Checkpoint, _ tied: (String) -> [String]
    ) throws(AdapterError) -> (String) -> String {
        let needed = Set(keys.filter(\.needsBase).compactMap(\.target))
        func missing(_ rename: (String) -> String) -> Set<String> {
            needed.filter { target in tied(rename(target)).allSatisfy { base.entry($0) == nil } }
        }
        let lacking = missing { $0 }
        if lacking.isEmpty { return { $0 } }
        let all = Set(keys.compactMap(\.target)).sorted()
        for rename in Checkpoint.renamings(from: all, to: base.names) where missing(rename).isEmpty {
            if Set(all.map(rename)).count == all.count { return rename }
        }
        throw .mismatch(
            "the adapter changes \(lacking.sorted().firstFew), which the base lacks under this name, with or without a "
                + "prefix such as model. or module.; upload one that was trained on this base")
    }

    private mutating func put(_ stored: String, _ key: AdapterKey, as name: String) throws(AdapterError) {
        let isTaken: Bool
        if case .whole = key {
            isTaken = whole.updateValue(stored, forKey: name) != nil
        } else {
            var part = parts[name] ?? Parts()
            switch key {
            case .lowA(let module):
                isTaken = part.a != nil
                (part.a, part.module) = (stored, module)
            case .lowB(let module):
                isTaken = part.b != nil
                (part.b, part.module) = (stored, module)
            case .embeddingA(let module):
                isTaken = part.a != nil
                (part.a, part.module, part.isEmbedding) = (stored, module, true)
            case .embeddingB(let module):
                isTaken = part.b != nil
                (part.b, part.module, part.isEmbedding) = (stored, module, true)
            case .biasOfB(let module):
                isTaken = part.bias != nil
                (part.bias, part.module) = (stored, module)
            case .vector(let module):
                isTaken = part.vector != nil
                (part.vector, part.module) = (stored, module)
            case .whole, .copy: isTaken = false
            }
            parts[name] = part
        }
        if isTaken {
            throw .malformed(
                "two tensors of the adapter stand for \(shown(name)); save it again with save_pretrained")
        }
    }
}
