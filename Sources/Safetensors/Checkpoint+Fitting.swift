extension Checkpoint {
    /// Prefixes that wrappers put before every name, or leave out, alone or one in another.
    private static let prefixes = ["model.", "module.", "base_model.model.", "base_model.", "_orig_mod."]

    /// This checkpoint with the base's names and vocabulary: a prefix dropped or added, or names spelled otherwise,
    /// where that, and not its own names, gives it a tensor for each of the floating-point ones of `base`; without
    /// buffers that the base lacks and `isUsed` does not name, and without empty tensors that are there under a tied
    /// name. `tied` gives all names of a tensor, itself among them.
    /// `isNeeded`: whether a tensor of the base must be there.
    package func fitted(
        to base: Checkpoint, tied: (String) -> [String] = { [$0] }, isNeeded: (String) -> Bool = { _ in true },
        isUsed: (String) -> Bool = { _ in false }
    ) -> Checkpoint {
        let named = named(as: base, tied: tied, isNeeded: isNeeded)
        let learned = named.omitting { name in
            if named.isPlaceholder(name, among: tied(name)) { return true }
            return base.entry(name) == nil && !isUsed(name)
                && AuxiliaryTensors.isBuffer(name, shape: named.entry(name)?.shape ?? [])
        }
        return learned.fittingVocabulary(to: base, isNeeded: isNeeded)
    }

    /// Whether a tensor has no elements and is there with elements under another of its names.
    private func isPlaceholder(_ name: String, among tied: [String]) -> Bool {
        entry(name)?.elementCount == 0 && tied.contains { $0 != name && (entry($0)?.elementCount ?? 0) > 0 }
    }

    /// The same tensors under the base's names, where renaming finds them all.
    private func named(
        as base: Checkpoint, tied: (String) -> [String], isNeeded: (String) -> Bool
    ) -> Checkpoint {
        let wanted = base.names.filter { name in base.entry(name)?.dtype.isReal == true && isNeeded(name) }
        func fits(_ candidate: Checkpoint) -> Bool {
            wanted.allSatisfy { tied($0).contains { candidate.entry($0) != nil } }
        }
        if fits(self) { return self }
        for rename in Self.renamings(from: names, to: base.names) {
            if let candidate = renaming(rename), fits(candidate) { return candidate }
        }
        return self
    }

    /// This checkpoint with a prefix dropped or added where that gives it more of the tensors of `wanted`, each by any
    /// of its names, than its own names do; else itself.
    package func fitted(toMost wanted: [[String]]) -> Checkpoint {
        func count(_ candidate: Checkpoint) -> Int {
            wanted.count { names in names.contains { candidate.entry($0) != nil } }
        }
        let candidates = Self.renamings(from: names, to: wanted.flatMap(\.self)).compactMap { renaming($0) }
        return candidates.reduce((self, count(self))) { best, candidate in
            let found = count(candidate)
            return found > best.1 ? (candidate, found) : best
        }.0
    }

    /// What may be done to the names of a model so that they become those of `base`: prefixes of wrappers dropped from
    /// all that have them, then the first part dropped from all that have it (a tower's, which the head beside it does
    /// not have), or what `base` puts in front added to all that it then has; then the same without the parts that
    /// wrappers put into the middle, and the base's spelling of the same names. What changes least comes first.
    package static func renamings(from names: [String], to base: [String]) -> [(String) -> String] {
        var renamings = prefixed(from: names, to: base)
        let unwrapped = names.map(NameForms.unwrapped)
        if unwrapped != names {
            renamings.append(NameForms.unwrapped)
            renamings += prefixed(from: unwrapped, to: base).map { rename in { rename(NameForms.unwrapped($0)) } }
        }
        let spelled = SpelledNames(base).renamings(from: names)
        for wrapper in [""] + wrappers(around: names) {
            let unwrap = dropping(wrapper)
            renamings += spelled.map { rename in { (name: String) in rename(unwrap(name)) } }
        }
        return renamings
    }

    /// The same for prefixes alone.
    private static func prefixed(from names: [String], to base: [String]) -> [(String) -> String] {
        let known = Set(base)
        let additions = (wrappers(around: base) + leadingParts(base)).map { prefix in
            { (name: String) in known.contains(prefix + name) ? prefix + name : name }
        }
        var renamings: [(String) -> String] = []
        for wrapper in [""] + wrappers(around: names) {
            let unwrap = dropping(wrapper)
            if !wrapper.isEmpty { renamings.append(unwrap) }
            let unwrapped = names.map(unwrap)
            let drops = leadingParts(unwrapped).map { dropping($0) }
            let double = leadingPairs(unwrapped).map { pair in
                { (name: String) in
                    let rest = dropping(pair)(name)
                    return rest == name ? dropping(firstPart(pair))(name) : rest
                }
            }
            renamings += (drops + double + additions).map { rename in { (name: String) in rename(unwrap(name)) } }
        }
        return renamings
    }

    private static func dropping(_ prefix: String) -> (String) -> String {
        return { name in name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name }
    }

    /// The prefixes of wrappers, one in another, that any of the names begins with; the shortest first.
    private static func wrappers(around names: [String]) -> [String] {
        var found = [""]
        var next = 0
        while next < found.count, found.count <= mostWrappers {
            for prefix in prefixes {
                let longer = found[next] + prefix
                if !found.contains(longer), names.contains(where: { $0.hasPrefix(longer) }) { found.append(longer) }
            }
            next += 1
        }
        return Array(found.dropFirst())
    }

    private static let mostWrappers = 8

    /// The first parts of names, such as that of a tower beside its head; none where there are more than a few, which
    /// are modules.
    private static func leadingParts(_ names: [String]) -> [String] {
        var parts: Set<String> = []
        for name in names {
            guard let point = name.firstIndex(of: ".") else { continue }
            parts.insert(String(name[...point]))
            if parts.count > mostParts { return [] }
        }
        return parts.sorted()
    }

    private static let mostParts = 8

    /// The first two parts of names, one custom module in another; none where there are more than a few.
    private static func leadingPairs(_ names: [String]) -> [String] {
        guard !leadingParts(names).isEmpty else { return [] }
        let pairs = names.compactMap { name -> String? in
            let first = firstPart(name)
            let second = firstPart(String(name.dropFirst(first.count)))
            return second.isEmpty ? nil : first + second
        }
        let found = Set(pairs)
        return found.count > mostParts ? [] : found.sorted()
    }

    /// The first part of a name with its point; empty where there is none.
    private static func firstPart(_ name: String) -> String {
        name.firstIndex(of: ".").map { String(name[...$0]) } ?? ""
    }

    /// How a save comes to hold a tensor without elements, and what to do.
    package static let emptied =
        "under DeepSpeed ZeRO-3 and FSDP a plain save writes placeholders; gather the weights (zero_to_fp32.py, or "
        + "stage3_gather_16bit_weights_on_model_save) and save again"

    /// Why a tensor of another shape than the base's can't be merged; nil where the shapes are the same.
    package static func mismatch(of name: String, _ own: [Int], base: [Int]) -> String? {
        guard own != base else { return nil }
        let mayBeHead = own.dropFirst() == base.dropFirst() && !own.isEmpty && !isOfVocabulary(name)
        let way = mayBeHead ? ", or, where it is the task's own head, name it under `head` in task.yaml" : ""
        guard own.count == 2, base.count == 2, own[1] == base[1] else {
            return
                "`\(name)` has shape \(own), the base's \(base); upload a fine-tune of this base without resizing\(way)"
        }
        return
            "`\(name)` has \(own[0]) rows, the base's \(base[0]): the vocabulary or output was resized, and rows that "
            + "the base lacks have nothing to be merged with; resize the base the same way, or fine-tune without "
            + "resizing\(way)"
    }

    /// Whether a name is one of those that transformers gives to what counts tokens: a head of another size is common,
    /// but a task with tokens of its own can't be served beside the others.
    private static func isOfVocabulary(_ name: String) -> Bool {
        ["embed", "lm_head", "predictions.decoder", "shared.", "vocab", "wte"].contains { name.contains($0) }
    }
}

extension SafetensorsDType {
    /// Whether elements are of floating point.
    package var isReal: Bool {
        switch self {
        case .f16, .bf16, .f32, .f64: true
        case .bool, .u8, .i8, .i16, .u16, .i32, .u32, .i64, .u64: false
        }
    }
}
