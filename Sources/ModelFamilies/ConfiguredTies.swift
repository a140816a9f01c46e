internal import Files
package import Safetensors

/// Which tensors of a language model are one by what its `config.json` says, for bases without a graph that would tell.
package enum ConfiguredTies {
    /// What transformers calls the module that turns tokens into vectors, and the one that turns them back.
    private static let inputs: Set = ["embed_in", "embed_tokens", "shared", "tok_embeddings", "word_embeddings", "wte"]
    private static let outputs: Set = [
        "embed_out", "lm_head", "lm_head.decoder", "predictions.decoder", "vocab_projector",
    ]
    private static let languageModels = [
        "ForCausalLM", "ForConditionalGeneration", "ForMaskedLM", "ForPreTraining", "LMHeadModel",
    ]

    /// The input embedding and the output layer, each by its names in `weights`; none where they are not tied. A base
    /// of older libraries that are silent on it is tied where it holds no output layer.
    package static func groups(configuration bytes: [UInt8], weights: Checkpoint) -> [[String]] {
        guard let values = try? JSONValue.members(parsing: bytes, .python) else { return [] }
        let isTied: Bool? = if case .bool(let value)? = values["tie_word_embeddings"] { value } else { nil }
        var classes: [String] = []
        if case .array(let items)? = values["architectures"] {
            for case .string(let name) in items { classes.append(name) }
        }
        let isLanguageModel = classes.contains { name in languageModels.contains { name.hasSuffix($0) } }
        guard isTied != false, isLanguageModel || classes.isEmpty && isTied == true else { return [] }
        let output = names(outputs, in: weights)
        guard let embedding = names(inputs, in: weights).first, isTied == true || output.isEmpty else { return [] }
        let shape = weights.entry(embedding)?.shape
        let same = (names(inputs, in: weights) + output).filter { weights.entry($0)?.shape == shape }
        return [same + (output.isEmpty ? ["lm_head.weight"] : [])].filter { $0.count > 1 }
    }

    /// The same for the folder of a base.
    package static func groups(directory: String, weights: Checkpoint) throws -> [[String]] {
        let path = "\(directory)/\(BaseGraph.configurationName)"
        guard try FileStatus.ifPresent(path, followingLinks: true) != nil else { return [] }
        let file = try ReadableFile(path: path, followingLinks: true)
        return groups(configuration: try file.contents(limit: ModelConfiguration.longest), weights: weights)
    }

    private static func names(_ modules: Set<String>, in weights: Checkpoint) -> [String] {
        weights.names.filter { name in
            weights.entry(name)?.shape.count == 2
                && modules.contains { name == "\($0).weight" || name.hasSuffix(".\($0).weight") }
        }
    }
}
