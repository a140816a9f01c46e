internal import Files
package import Safetensors

extension GraphSignature {
    /// Why a parameter that `base` lacks is no head that each task brings, but one of the base's tensors under another
    /// name; nil where there is none such. Nothing uses that tensor, it has the same shape, and its name differs in one
    /// part. What pretraining leaves beside the trunk often has the shape of a head, but lies under another first part.
    package func misnaming(in base: Checkpoint) -> String? {
        let used = Set((parameters + buffers).flatMap { [$0.name] + $0.aliases })
        var spare: [[Int]: [String]] = [:]
        for name in base.names where !used.contains(name) {
            guard let entry = base.entry(name), entry.dtype.isReal else { continue }
            spare[entry.shape, default: []].append(name)
        }
        guard !spare.isEmpty else { return nil }
        for slot in parameters {
            let names = [slot.name] + slot.aliases
            let candidates = spare[slot.shape.compactMap(\.self)] ?? []
            guard !candidates.isEmpty, names.allSatisfy({ base.entry($0) == nil }) else { continue }
            for name in names {
                guard let other = candidates.first(where: { Self.isNearly(name, $0) }) else { continue }
                return
                    "the base lacks the graph's parameter `\(shown(name))`, and nothing uses its `\(shown(other))` of "
                    + "the same shape, so that is no task's head; export the graph again with Tools/export_model.py, "
                    + "which takes the file's names"
            }
        }
        return nil
    }

    /// Whether two names differ in one part below the first, or in parts that stand before all of the other.
    private static func isNearly(_ name: String, _ other: String) -> Bool {
        let parts = [name, other].map { $0.split(separator: ".", omittingEmptySubsequences: false) }
            .sorted { $0.count < $1.count }
        let (short, long) = (parts[0], parts[1])
        guard short.count < long.count else {
            return short.first == long.first && zip(short, long).count { $0 != $1 } == 1
        }
        // Names as short as `classifier.weight` or `layernorm.weight` end others by chance, in ALBERT and BEiT for two.
        return short.count > 2 && long.suffix(short.count) == short[...]
    }
}
