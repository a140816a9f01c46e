/// Names that older libraries gave to tensors, and that transformers reads under those of today: BERT's checkpoints of
/// 2018 call the scale and the shift of a norm as its paper does (Ba et al., arXiv 1607.06450).
package enum LegacyNames {
    private static let endings = [("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")]

    /// What a tensor of that name is called today.
    package static func modern(_ name: String) -> String {
        guard let (old, new) = endings.first(where: { name.hasSuffix($0.0) }) else { return name }
        return String(name.dropLast(old.count)) + new
    }

    /// `name`, one of today, with the older ending that a file's own name for the tensor has; itself where that has
    /// none.
    static func asStored(_ name: String, _ stored: String) -> String {
        guard let (old, new) = endings.first(where: { stored.hasSuffix($0.0) }), name.hasSuffix(new) else {
            return name
        }
        return String(name.dropLast(new.count)) + old
    }

    /// The names of today of those among `names` that have an older one, by it. One whose name of today is there, too,
    /// keeps its own.
    package static func renamed(among names: some Sequence<String>) -> [String: String] {
        let known = Set(names)
        var renamed: [String: String] = [:]
        for name in known {
            let today = modern(name)
            if !known.contains(today) { renamed[name] = today }
        }
        return renamed
    }
}
