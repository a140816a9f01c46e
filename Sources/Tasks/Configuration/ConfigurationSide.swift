import Files

/// A `config.json`, or an object in it, with the names and forms of today.
struct ConfigurationSide {
    private(set) var values: [String: JSONValue] = [:]

    init(_ values: [String: JSONValue], _ defaults: ConfigurationDefaults?) {
        for (key, value) in values where key != "model_type" {
            self.values[defaults?.names?[key] ?? key] = value
        }
        rotate(defaults)
    }

    /// Puts what turns queries and keys under `rope_parameters.…`, whichever version wrote it: `rope_theta` and
    /// `rope_scaling` (with `type`), `rotary_emb_base`, `rotary_pct`, `rope_local_base_freq`.
    private mutating func rotate(_ defaults: ConfigurationDefaults?) {
        var rope = defaults?.keys["rope_parameters"]?.members ?? [:]
        let isLayered = rope.values.contains { !$0.members.isEmpty }
        let hasRope = !rope.isEmpty || values["rope_parameters"] != nil || values["rope_scaling"] != nil
        func put(_ name: String, _ value: JSONValue) {
            guard isLayered else { return rope[name] = value }
            let layer = "full_attention"
            rope[layer] = .object((rope[layer]?.members ?? [:]).merging([name: value]) { $1 })
        }
        for (old, name) in [
            ("rope_theta", "rope_theta"), ("rotary_emb_base", "rope_theta"), ("rope_base", "rope_theta"),
            ("global_rope_theta", "rope_theta"), ("partial_rotary_factor", "partial_rotary_factor"),
            ("rotary_pct", "partial_rotary_factor"),
        ] {
            guard let value = values.removeValue(forKey: old), value != .null else { continue }
            put(name, value)
        }
        for old in ["rope_local_base_freq", "local_rope_theta"] {
            guard let value = values.removeValue(forKey: old), value != .null, isLayered else { continue }
            rope["sliding_attention"] = .object(
                (rope["sliding_attention"]?.members ?? [:]).merging(["rope_theta": value]) { $1 })
        }
        for (name, value) in values.removeValue(forKey: "rope_scaling")?.members ?? [:] { put(name, value) }
        for (name, value) in values.removeValue(forKey: "rope_parameters")?.members ?? [:] {
            rope[name] = .object((rope[name]?.members ?? [:]).merging(value.members) { $1 })
            if value.members.isEmpty { rope[name] = value }
        }
        guard hasRope || !rope.isEmpty else { return }
        flatten(rope, "rope_parameters.")
    }

    private mutating func flatten(_ rope: [String: JSONValue], _ scope: String) {
        for (name, value) in rope {
            if case .object(let members) = value {
                flatten(members, "\(scope)\(name).")
            } else if name == "type" {
                if rope["rope_type"] == nil || rope["rope_type"] == "default" {
                    values["\(scope)rope_type"] = Self.kind(value)
                }
            } else if name != "rope_type" || rope["type"] == nil || value != "default" {
                values["\(scope)\(name)"] = name == "rope_type" ? Self.kind(value) : value
            }
        }
    }

    /// Older names of a kind of scaling.
    private static func kind(_ value: JSONValue) -> JSONValue {
        switch value {
        case "su": "longrope"
        case "mrope": "default"
        default: value
        }
    }

    /// Whether a value that the other side states follows from what this one does, which does not state it.
    func implies(_ key: String, _ value: JSONValue?) -> Bool {
        guard values[key] == nil, let value else { return false }
        switch key {
        case "head_dim":
            guard let width = first(["hidden_size", "d_model", "n_embd"]), let heads = first(Self.heads), heads > 0
            else {
                return false
            }
            return value.integer == width / heads
        case "num_key_value_heads": return value.integer != nil && value.integer == first(Self.heads)
        case "layer_types":
            let kinds = Set(value.elements.compactMap(\.text))
            return kinds == ["full_attention"] || values["sliding_window"]?.isOff == false
        default: return false
        }
    }

    private static let heads = ["num_attention_heads", "n_head", "num_heads"]

    private func first(_ keys: [String]) -> Int? { keys.lazy.compactMap { values[$0]?.integer }.first }

    /// Whether a key has no effect beside the others.
    func ignores(_ key: String) -> Bool {
        switch key {
        case "sliding_window", "max_window_layers":
            values["use_sliding_window"] == .bool(false)
                || values["max_window_layers"] != nil && values["use_sliding_window"] == nil
        case "max_position_embeddings":
            !["dynamic", "yarn", "longrope"].contains(values["rope_parameters.rope_type"]?.text ?? "default")
                || values["rope_parameters.original_max_position_embeddings"] != nil
        case "rope_parameters.factor": values["rope_parameters.rope_type"] ?? "default" == "default"
        default: false
        }
    }
}
