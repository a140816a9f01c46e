internal import Safetensors

/// Which way round the base stores its matrices: [out, in], or [in, out] where `fan_in_fan_out` says so. Where the
/// lengths differ the shapes tell. PEFT goes by the kind of each module and writes the flag of the last one that it
/// saw, so for a square matrix the flag counts only where everything that has a shape to tell agrees with it.
struct Orientation {
    let isTransposed: Bool
    /// Whether no shape contradicts the flag.
    let isCertain: Bool

    init(_ matching: AdapterMatching) {
        let flag = matching.configuration.isTransposed
        isTransposed = flag
        let base = matching.base
        isCertain = base.names.allSatisfy { name in
            guard let entry = base.entry(name), entry.shape.count == 2, entry.shape[0] != entry.shape[1] else {
                return true
            }
            guard let outputs = Self.outputs(of: name, matching) else { return true }
            return (entry.shape[0] == outputs) != flag || !entry.shape.contains(outputs)
        }
    }

    /// The outputs of a linear module, by its bias in the base or by the adapter's factors; nil where nothing tells.
    private static func outputs(of name: String, _ matching: AdapterMatching) -> Int? {
        if name.hasSuffix(".weight"),
            let bias = matching.base.entry(name.dropLast("weight".count) + "bias"), bias.shape.count == 1
        {
            return bias.shape[0]
        }
        guard let parts = matching.parts[name], !parts.isEmbedding, let b = parts.b.flatMap(matching.file.entry)
        else { return nil }
        return b.shape.first
    }
}
