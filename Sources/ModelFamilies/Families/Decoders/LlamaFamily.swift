/// Llama (Touvron et al., arXiv 2302.13971).
enum LlamaFamily: DecoderFamily {
    static let modelTypes = ["llama"]
    static let inert = DecoderStack.inert.union(["is_llama_config"])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        try configuration.demand("pretraining_tp", oneOf: [.integer(1)])
        return try .usual(configuration)
    }
}
