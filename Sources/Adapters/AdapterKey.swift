internal import Files
internal import Safetensors

/// What the name of a tensor in `adapter_model.safetensors` says about it.
enum AdapterKey: Hashable {
    /// A of s·B·A for the named module, [r, in] or [r, in, height, width].
    case lowA(String)
    /// B, [out, r] or [out, r, 1, 1].
    case lowB(String)
    /// What is added to the module's bias, times s.
    case biasOfB(String)
    /// A of an embedding, [r, vocabulary].
    case embeddingA(String)
    /// B of an embedding, [width, r].
    case embeddingB(String)
    /// The vector of (IA)³.
    case vector(String)
    /// A tensor that was trained itself, under its name in the model.
    case whole(String)
    /// A copy of what the base has.
    case copy

    static let prefix = "base_model.model."

    /// Whether an adapter of this kind has such tensors.
    func fits(_ kind: AdapterConfiguration.Kind) -> Bool {
        switch self {
        case .vector: kind == .ia3
        case .whole, .copy: true
        case .lowA, .lowB, .biasOfB, .embeddingA, .embeddingB: kind == .lora
        }
    }

    /// Endings of an adapter's tensors, in front of and behind the place of the adapter's own name.
    private static let kinds: [(before: String, after: String, kind: @Sendable (String) -> AdapterKey)] = [
        ("lora_A", ".weight", { .lowA($0) }), ("lora_B", ".weight", { .lowB($0) }),
        ("lora_B", ".bias", { .biasOfB($0) }), ("lora_embedding_A", "", { .embeddingA($0) }),
        ("lora_embedding_B", "", { .embeddingB($0) }), ("ia3_l", "", { .vector($0) }),
    ]

    /// `adapter`: the adapter's name where it stands in the names, as in the state dict of a model whose adapters are
    /// not saved one by one (`lora_A.default.weight`).
    init(_ name: String, adapter: String?) throws(AdapterError) {
        let name = Self.unprefixed(name)
        let names = ["", adapter.map { "." + $0 } ?? ""]
        for (before, after, kind) in Self.kinds {
            for own in names {
                let ending = ".\(before)\(own)\(after)"
                guard name.hasSuffix(ending) else { continue }
                self = kind(Self.bare(String(name.dropLast(ending.count)), adapter))
                return
            }
        }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        if parts.contains("original_module") {
            self = .copy
            return
        }
        let strange = parts.first { part in
            ["lora_", "ia3_", "trainable_tokens", "token_adapter", "vera_", "prompt_", "adaption_"].contains {
                part.hasPrefix($0)
            } || part == "lora" && (name.hasSuffix(".down.weight") || name.hasSuffix(".up.weight"))
        }
        if let strange {
            let isKohyas = ["lora_down", "lora_up", "lora"].contains(String(strange))
            let reason =
                isKohyas
                ? "this is the form of diffusers and of kohya's scripts; convert it to PEFT's, with lora_A and lora_B"
                : strange.hasPrefix("lora_magnitude_vector")
                    ? "DoRA rescales the merged weights by their norms; train without it, or upload full weights"
                    : "nothing is known about `\(shown(String(strange)))`; save a plain LoRA or (IA)³ with "
                        + "save_pretrained"
            throw .unsupported("tensor `\(shown(name))`: \(reason)")
        }
        self = .whole(LegacyNames.modern(Self.bare(name, adapter)))
    }

    /// The name without the prefix of PEFT's model and of wrappers around it or in it.
    private static func unprefixed(_ name: String) -> String {
        let name = NameForms.unwrapped(name)
        for wrapper in ["", "module."] where name.hasPrefix(wrapper + prefix) {
            return String(name.dropFirst(wrapper.count + prefix.count))
        }
        return name
    }

    /// The name of the adapter where it stands in the names of its tensors; nil where it does not. Throws where there
    /// are several.
    static func adapterName(in names: [String]) throws(AdapterError) -> String? {
        var found: Set<String> = []
        for name in names {
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            for (place, part) in parts.enumerated() {
                let rest = parts[(place + 1)...]
                switch part {
                case "lora_A", "lora_B":
                    if rest.count == 2, let last = rest.last, ["weight", "bias"].contains(last) {
                        found.insert(String(rest[place + 1]))
                    }
                case "lora_embedding_A", "lora_embedding_B", "ia3_l":
                    if rest.count == 1, let own = rest.first { found.insert(String(own)) }
                default: break
                }
            }
        }
        guard found.count < 2 else {
            throw .unsupported(
                "the file holds \(found.count) adapters: \(found.sorted().map { shown($0) }.firstFew); save the one "
                    + "that is to be merged with save_pretrained(selected_adapters=[…])")
        }
        return found.first
    }

    /// A name without what PEFT's wrappers put into it.
    private static func bare(_ name: String, _ adapter: String?) -> String {
        var parts: [Substring] = []
        var isSaved = false
        for part in name.split(separator: ".", omittingEmptySubsequences: false) {
            defer { isSaved = part == "modules_to_save" }
            if part == "base_layer" || part == "modules_to_save" || isSaved && part == adapter ?? "default" { continue }
            parts.append(part)
        }
        return parts.joined(separator: ".")
    }

    /// The tensor of the model that it changes.
    var target: String? {
        switch self {
        case .lowA(let module), .lowB(let module), .embeddingA(let module), .embeddingB(let module),
            .vector(let module):
            module + ".weight"
        case .biasOfB(let module): module + ".bias"
        case .whole(let name): name
        case .copy: nil
        }
    }

    /// Whether its target must be a tensor of the base: a new head can't have a low rank.
    var needsBase: Bool { if case .whole = self { false } else { true } }
}
