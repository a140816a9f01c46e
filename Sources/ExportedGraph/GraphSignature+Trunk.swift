internal import Files
package import Safetensors

extension GraphSignature {
    /// Why what `base` lacks of the graph's parameters is more than a task's head: layers with a number are among it,
    /// or most of the graph. Nil where it is not.
    package func missingTrunk(in base: Checkpoint) -> String? {
        let missing = parameters.filter { slot in
            ([slot.name] + slot.aliases).allSatisfy { base.entry($0) == nil }
        }
        guard
            let slot = missing.first(where: { Self.isNumbered($0.name) })
                ?? (2 * missing.count > parameters.count ? missing.first : nil)
        else { return nil }
        let used = Set((parameters + buffers).flatMap { [$0.name] + $0.aliases })
        let shape = slot.shape.compactMap(\.self)
        let nearest = base.names.filter { !used.contains($0) && base.entry($0)?.shape == shape }
            .max { Self.likeness($0, slot.name) < Self.likeness($1, slot.name) }
        let hint = nearest.map { "; its `\(shown($0))`, which nothing uses, has that shape" } ?? ""
        return
            "the base lacks \(missing.count) of the graph's \(parameters.count) parameters, `\(shown(slot.name))` "
            + "among them, which no task brings as its head\(hint); export the graph again with Tools/export_model.py, "
            + "which takes the names of the base's file, or remove graph.pt2 where the graph can be built from "
            + "config.json"
    }

    /// Other names for the graph's parameters, where the base's file has one part more or fewer before all names of its
    /// layers, as a model that is saved without a head has. Empty where the names fit, or differ in another way.
    package func prefixChanges(in base: Checkpoint) -> [String: String] {
        func has(_ name: String, _ slot: Slot) -> Bool { base.entry(name)?.shape == slot.shape.compactMap(\.self) }
        let missing = parameters.filter { slot in
            ([slot.name] + slot.aliases).allSatisfy { base.entry($0) == nil }
        }
        guard let layer = missing.first(where: { Self.isNumbered($0.name) }) else { return [:] }
        var changes: [(String) -> String?] = []
        if let dot = layer.name.firstIndex(of: "."), has(String(layer.name[layer.name.index(after: dot)...]), layer) {
            let prefix = layer.name[...dot]
            changes.append { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : nil }
        }
        if let longer = base.names.first(where: { $0.hasSuffix("." + layer.name) && has($0, layer) }) {
            let prefix = longer.dropLast(layer.name.count)
            if prefix.dropLast().allSatisfy({ $0 != "." }) { changes.append { prefix + $0 } }
        }
        for change in changes {
            var names: [String: String] = [:]
            for slot in missing {
                for name in [slot.name] + slot.aliases {
                    if let other = change(name), has(other, slot) { names[name] = other }
                }
            }
            let unfit = missing.contains { slot in
                Self.isNumbered(slot.name) && ([slot.name] + slot.aliases).allSatisfy { names[$0] == nil }
            }
            if !unfit { return names }
        }
        return [:]
    }

    /// Whether a name lies under a layer with a number, as `layers.0.norm.weight` does and `classifier.1.weight` does
    /// not.
    private static func isNumbered(_ name: String) -> Bool {
        let parts = name.split(separator: ".")
        guard let place = parts.firstIndex(where: { $0.allSatisfy(\.isNumber) }) else { return false }
        return parts.count - place > 2
    }

    /// How many parts two names share, from the last.
    private static func likeness(_ name: String, _ other: String) -> Int {
        zip(name.split(separator: ".").reversed(), other.split(separator: ".").reversed()).prefix { $0 == $1 }.count
    }
}

extension GraphSignature {
    /// The signature with other names for some parameters.
    package func renamed(_ names: [String: String]) -> GraphSignature {
        var renamed = self
        for index in renamed.parameters.indices {
            let slot = renamed.parameters[index]
            renamed.parameters[index].name = names[slot.name] ?? slot.name
            renamed.parameters[index].aliases = slot.aliases.map { names[$0] ?? $0 }
        }
        return renamed
    }
}
