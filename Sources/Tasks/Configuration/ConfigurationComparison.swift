import Files
import Foundation
import ModelFamilies

/// Whether two `config.json` describe the same arithmetic: a fine-tune is merged into a model that runs with the
/// base's.
///
/// Values are compared key by key, with transformers' defaults for what one side does not state. Keys that say nothing
/// about the logits, by `ModelConfiguration.inert` and the family, are ignored, and so are lengths that shapes of
/// tensors tell. Where a graph is built of both and it is the same, so is the arithmetic, whatever the keys are.
struct ConfigurationComparison {
    /// A key whose values differ, in words.
    struct Difference: Hashable {
        var key: String
        var own: String
        var base: String

        var description: String { "`\(shown(key))` is \(own), the base's \(base)" }
    }

    /// Those that change the logits.
    private(set) var faults: [Difference] = []
    /// Those of which nothing is known.
    private(set) var unknown: [Difference] = []

    /// The objects of both files.
    init(_ own: [String: JSONValue], base: [String: JSONValue]) {
        let (own, base) = Self.level(own, base)
        compare(own, base, scope: "", inherited: nil)
        if !faults.isEmpty || !unknown.isEmpty, Self.buildSame(own, base) {
            // A graph of the language part alone says nothing of the tower.
            let isPart = BaseGraph.isLanguagePart(modelType: base["model_type"]?.text ?? "")
            let isOfTower = { (difference: Difference) in isPart && difference.key.hasPrefix("vision_config.") }
            (faults, unknown) = (faults.filter(isOfTower), unknown.filter(isOfTower))
        }
        faults.sort { $0.key < $1.key }
        unknown.sort { $0.key < $1.key }
    }

    /// Whether the graphs that are built of both are one.
    private static func buildSame(_ own: [String: JSONValue], _ base: [String: JSONValue]) -> Bool {
        let padding = "pad_token_id"
        let isInert = ConfigurationKeys.isInert(padding, of: base["model_type"]?.text ?? "")
        return BaseGraph.areSame(own, base, ignoring: isInert ? [padding] : [])
    }

    /// Older libraries write the keys of a model's language part beside the others, newer ones below `text_config`.
    private static func level(
        _ own: [String: JSONValue], _ base: [String: JSONValue]
    ) -> ([String: JSONValue], [String: JSONValue]) {
        func flat(_ values: [String: JSONValue], beside other: [String: JSONValue]) -> [String: JSONValue] {
            guard case .object(let text)? = values["text_config"], other["text_config"] == nil, !text.isEmpty else {
                return values
            }
            var values = values
            values["text_config"] = nil
            return values.merging(text.filter { $0.key != "model_type" }) { first, _ in first }
        }
        if let type = own["model_type"]?.text, own["text_config"] == nil, type != base["model_type"]?.text {
            // A fine-tune of the language part alone.
            if case .object(let text)? = base["text_config"], text["model_type"]?.text == type { return (own, text) }
            if base["text_config"] == nil, base["vision_config"] != nil,
                type == (base["model_type"]?.text ?? "") + "_text"
            {
                return (own.merging(["model_type": base["model_type"] ?? .null]) { $1 }, base)
            }
        }
        return (flat(own, beside: base), flat(base, beside: own))
    }

    private mutating func compare(
        _ own: [String: JSONValue], _ base: [String: JSONValue], scope: String, inherited: String?
    ) {
        let ownType = own["model_type"]?.text ?? inherited ?? ""
        let type = base["model_type"]?.text ?? inherited ?? ""
        if !ownType.isEmpty, !type.isEmpty, ownType != type {
            faults.append(
                Difference(key: scope + "model_type", own: "\"\(shown(ownType))\"", base: "\"\(shown(type))\""))
            return
        }
        let defaults = ConfigurationDefaults.of(type.isEmpty ? ownType : type)
        let sides = (ConfigurationSide(own, defaults), ConfigurationSide(base, defaults))
        let inert = BaseGraph.inertKeys(modelType: type)
        for key in Set(sides.0.values.keys).union(sides.1.values.keys).sorted() {
            guard !ConfigurationKeys.isInert(key, of: type), !inert.contains(key) || key.hasSuffix("_config") else {
                continue
            }
            if case .object(let ownPart)? = sides.0.values[key], case .object(let part)? = sides.1.values[key],
                key.hasSuffix("_config")
            {
                compare(ownPart, part, scope: "\(scope)\(key).", inherited: nil)
                continue
            }
            judge(key, sides, defaults, scope: scope)
        }
    }

    private mutating func judge(
        _ key: String, _ sides: (ConfigurationSide, ConfigurationSide), _ defaults: ConfigurationDefaults?,
        scope: String
    ) {
        let (own, base) = (sides.0.values[key], sides.1.values[key])
        if let own, let base, ConfigurationKeys.areEqual(key, own, base) { return }
        if sides.0.implies(key, base) || sides.1.implies(key, own) { return }
        if sides.0.ignores(key), sides.1.ignores(key) { return }
        let standard = defaults?.keys[key]
        let usual = standard ?? ConfigurationKeys.usual(key)
        let ownValue = own ?? usual
        let baseValue = base ?? usual
        if ConfigurationKeys.areEqual(key, ownValue, baseValue) { return }
        if ownValue.isOff, baseValue.isOff { return }
        // Where it is null the width and the number of heads give it, and the shapes of the projections are compared.
        if key == "head_dim", ownValue.isOff || baseValue.isOff { return }
        // T5's decoder is scaled where they are tied.
        let scales = defaults?.keys["scale_decoder_outputs"] != nil
        if key == "tie_word_embeddings", ownValue != .bool(true), !scales { return }
        let difference = Difference(
            key: scope + key, own: Self.phrase(own, standard), base: Self.phrase(base, standard))
        let isKnown =
            defaults.map { $0.keys[key] != nil || key.hasPrefix("rope_parameters.") }
            ?? (own != nil && base != nil
                || scope.isEmpty
                    && (ConfigurationDefaults.known.contains(key) || key.hasPrefix("rope_parameters.")))
        if isKnown || key == "pad_token_id" { faults.append(difference) } else { unknown.append(difference) }
    }

    private static func phrase(_ value: JSONValue?, _ standard: JSONValue?) -> String {
        guard let value else { return standard.map { "\($0.phrase) by default" } ?? "not stated" }
        switch value {
        case .array(let items) where items.count <= 8: return "[\(items.map(\.phrase).joined(separator: ", "))]"
        default: return value.phrase
        }
    }
}
