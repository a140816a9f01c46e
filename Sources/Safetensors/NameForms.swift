/// Ways in which libraries spell the name of the same tensor, beside the prefixes of wrappers that stand before every
/// name.
package enum NameForms {
    /// The towers of a model for images and text, by any of their names.
    private static let towers: Set<Substring> = ["visual", "vit", "vision_tower", "vision_model"]
    /// What stands before the layers of a language model, alone or one behind another.
    private static let languageParts: Set<Substring> = ["model", "language_model", "text_model", "llm"]
    private static let parametrizations = "parametrizations"

    /// The name without the parts that wrappers put into its middle: FSDP, activation checkpointing, `torch.compile`,
    /// Fabric. All begin with an underscore and end in `module` or `_mod`.
    package static func unwrapped(_ name: String) -> String {
        guard name.contains("_mod") else { return name }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let kept = parts.filter { !($0.hasPrefix("_") && ($0.hasSuffix("module") || $0.hasSuffix("_mod"))) }
        return kept.isEmpty ? name : kept.joined(separator: ".")
    }

    /// The name without the `module` that data parallel wrappers of a model's parts put into its middle.
    static func withoutModule(_ name: String) -> String {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let kept = parts.filter { $0 != "module" }
        return kept.isEmpty || kept.count == parts.count ? name : kept.joined(separator: ".")
    }

    /// The name as `torch.nn.utils.parametrizations` has it, where `name` is one of the older `weight_norm` or
    /// `spectral_norm` (`weight_g`, `weight_v`, `weight_orig`, `weight_u`). `names`: all names of the checkpoint, which
    /// tell the two apart.
    static func parametrized(_ name: String, among names: Set<String>) -> String {
        guard let mark = name.lastIndex(of: "_") else { return name }
        let stem = String(name[..<mark])
        let point = stem.lastIndex(of: ".").map { stem.index(after: $0) } ?? stem.startIndex
        let (module, parameter) = (stem[..<point], stem[point...])
        guard parameter.hasPrefix("weight") || parameter.hasPrefix("bias") else { return name }
        let isSpectral = names.contains(stem + "_orig")
        let isNormed = names.contains(stem + "_g") && names.contains(stem + "_v")
        let ending: String? =
            switch name[mark...] {
            case "_g" where isNormed: "original0"
            case "_v" where isNormed: "original1"
            case "_orig": "original"
            case "_u" where isSpectral: "0._u"
            case "_v" where isSpectral: "0._v"
            default: nil
            }
        return ending.map { "\(module)\(parametrizations).\(parameter).\($0)" } ?? name
    }

    /// What tells a tensor of a model for images and text, whether its parts lie side by side (`model.layers`,
    /// `visual`; `language_model.model.layers`, `vision_tower`) or below one model (`model.language_model.layers`,
    /// `model.visual`).
    static func joined(_ name: String) -> String {
        var parts = name.split(separator: ".", omittingEmptySubsequences: false)[...]
        while parts.count > 1, let first = parts.first, languageParts.contains(first) { parts.removeFirst() }
        guard parts.count > 1, let first = parts.first, towers.contains(first) else {
            return parts.joined(separator: ".")
        }
        parts.removeFirst()
        while parts.count > 1, parts.first == "vision_model" { parts.removeFirst() }
        return (["vision"] + parts).joined(separator: ".")
    }
}

/// Names of a base, found by other spellings of them.
struct SpelledNames {
    private let known: Set<String>
    /// Base names by what they are without wrappers and with parametrizations; nil where two are called the same.
    private let plain: [String: String]
    private let joined: [String: String]

    init(_ names: [String]) {
        known = Set(names)
        let all = known
        let spelled = { (name: String) in NameForms.parametrized(NameForms.unwrapped(name), among: all) }
        plain = Self.unique(names, spelled)
        joined = Self.unique(names) { NameForms.joined(spelled($0)) }
    }

    private static func unique(_ names: [String], _ form: (String) -> String) -> [String: String] {
        var found: [String: String?] = [:]
        for name in names { found.updateValue(found[form(name)] == nil ? name : .none, forKey: form(name)) }
        return found.compactMapValues { $0 }
    }

    /// Renames the tensors of a checkpoint that has `names` to the base's, where another spelling of them is one of
    /// those; what changes least comes first. Other names lose the parts of wrappers.
    func renamings(from names: [String]) -> [(String) -> String] {
        let all = Set(names.map(NameForms.unwrapped))
        let spelled = { (name: String) -> String in
            NameForms.parametrized(NameForms.unwrapped(name), among: all)
        }
        let known = known
        let asPlain = { [plain] (name: String) in
            if known.contains(name) { return name }
            return plain[spelled(name)] ?? NameForms.unwrapped(name)
        }
        let asJoined = { [joined] (name: String) in
            if known.contains(name) { return name }
            return joined[NameForms.joined(spelled(name))] ?? NameForms.unwrapped(name)
        }
        // A module of the model may have that name: only where nothing else finds the base's.
        let asParallel = { (name: String) in
            known.contains(name) ? name : asPlain(NameForms.withoutModule(name))
        }
        return [asPlain, asJoined, asParallel]
    }
}
