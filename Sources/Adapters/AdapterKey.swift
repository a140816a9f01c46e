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

    init(_ name: String) throws(AdapterError) {
        let name = name.hasPrefix(Self.prefix) ? String(name.dropFirst(Self.prefix.count)) : name
        let kinds: [(ending: String, kind: (String) -> AdapterKey)] = [
            (".lora_A.weight", { .lowA($0) }), (".lora_B.weight", { .lowB($0) }), (".lora_B.bias", { .biasOfB($0) }),
            (".lora_embedding_A", { .embeddingA($0) }), (".lora_embedding_B", { .embeddingB($0) }),
            (".ia3_l", { .vector($0) }),
        ]
        if let (ending, kind) = kinds.first(where: { name.hasSuffix($0.ending) }) {
            self = kind(Self.bare(String(name.dropLast(ending.count))))
            return
        }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        if parts.contains("original_module") {
            self = .copy
            return
        }
        let strange = parts.first { part in
            ["lora_", "ia3_", "trainable_tokens", "token_adapter", "vera_", "prompt_", "adaption_"].contains {
                part.hasPrefix($0)
            }
        }
        if let strange {
            let reason =
                strange.hasPrefix("lora_magnitude_vector")
                ? "DoRA rescales the merged weights by their norms; train without it, or drop full weights"
                : "nothing is known about `\(shown(String(strange)))`; save a plain LoRA or (IA)³ with save_pretrained"
            throw .unsupported("tensor `\(shown(name))`: \(reason)")
        }
        self = .whole(LegacyNames.modern(Self.bare(name)))
    }

    /// A name without what PEFT's wrappers put into it.
    private static func bare(_ name: String) -> String {
        name.split(separator: ".", omittingEmptySubsequences: false)
            .filter { $0 != "base_layer" && $0 != "modules_to_save" }.joined(separator: ".")
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
