internal import Files
internal import Foundation

/// The content of an `adapter_config.json` that this project writes: an adapter that PEFT puts onto the base as it is.
package struct AdapterDescription: Sendable {
    package var kind: AdapterConfiguration.Kind
    /// Full names of the adapted modules and their ranks; of (IA)³ any number.
    package var ranks: [String: Int]
    /// Those of them whose inputs (IA)³ scales.
    package var feedforward: [String] = []
    package var isTransposed = false
    /// Whether biases are there whole.
    package var hasBiases = false

    package init(kind: AdapterConfiguration.Kind, ranks: [String: Int]) {
        self.kind = kind
        self.ranks = ranks
    }

    /// JSON, keys in order. α is every module's rank, so that B·A is added as it is.
    package func content() throws -> [UInt8] {
        var values: [String: JSONValue] = [
            "peft_type": .string(kind.rawValue), "task_type": .null, "base_model_name_or_path": .null,
            "inference_mode": .bool(true), "modules_to_save": .null, "fan_in_fan_out": .bool(isTransposed),
            "target_modules": .array(ranks.keys.sorted().map(JSONValue.string)),
        ]
        switch kind {
        case .lora:
            let rank = usualRank
            let others = ranks.filter { $0.value != rank }
            let pattern = JSONValue.object(
                Dictionary(uniqueKeysWithValues: others.map { ("^" + $0.key, .integer($0.value)) }))
            values["r"] = .integer(rank)
            values["lora_alpha"] = .integer(rank)
            values["rank_pattern"] = pattern
            values["alpha_pattern"] = pattern
            values["lora_dropout"] = .integer(0)
            values["init_lora_weights"] = .bool(true)
            values["use_rslora"] = .bool(false)
            values["use_dora"] = .bool(false)
            values["bias"] = .string(hasBiases ? "all" : "none")
        case .ia3:
            values["feedforward_modules"] = .array(feedforward.sorted().map(JSONValue.string))
            values["init_ia3_weights"] = .bool(true)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(values)) + [UInt8(ascii: "\n")]
    }

    /// The rank that most modules have; of several the largest.
    private var usualRank: Int {
        let counts = Dictionary(grouping: ranks.values) { $0 }.mapValues(\.count)
        return counts.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? 1
    }
}
