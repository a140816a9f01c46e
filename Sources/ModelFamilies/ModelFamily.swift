internal import ExportedGraph

/// An architecture whose graph is built here.
protocol ModelFamily: SendableMetatype {
    /// Values of `model_type` in a `config.json`.
    static var modelTypes: [String] { get }

    /// Keys of the configuration that say nothing about the logits, beside those of every model.
    static var inert: Set<String> { get }

    /// Beginnings of the names of tensors that a checkpoint of the family may hold and the graph has no use for.
    static var spare: [String] { get }

    /// Writes the graph from inputs to logits.
    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue
}

/// A family that is a decoder: it says what its stack is made of.
protocol DecoderFamily: ModelFamily {
    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions
}

extension DecoderFamily {
    static var inert: Set<String> { DecoderStack.inert }
    static var spare: [String] { DecoderStack.spare }

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        try DecoderStack(options(configuration, draft), draft).logits(configuration)
    }
}

/// Every family that is built here.
enum ModelFamilies {
    static let decoders: [any ModelFamily.Type] = [
        LlamaFamily.self, MistralFamily.self, QwenFamily.self, GemmaFamily.self, Phi3Family.self, PhiFamily.self,
        SmolLM3Family.self, OlmoFamily.self, GraniteFamily.self, StableLMFamily.self, CohereFamily.self,
        GLM4Family.self, GPTNeoXFamily.self, GPTJFamily.self, GPT2Family.self, OPTFamily.self, XGLMFamily.self,
        FalconFamily.self, BloomFamily.self, Starcoder2Family.self, ErnieFamily.self, SeedFamily.self,
        ExaoneFamily.self, ApertusFamily.self, NemotronFamily.self, HunYuanFamily.self, BitNetFamily.self,
        BigCodeFamily.self, MixtralFamily.self, QwenMoEFamily.self, OlmoeFamily.self, GPTOSSFamily.self,
        DeepSeekFamily.self, GLM4MoEFamily.self, GPTNeoFamily.self, MPTFamily.self, VisionLanguageFamily.self,
    ]
    static let encoders: [any ModelFamily.Type] = [
        BertFamily.self, RobertaFamily.self, DistilBertFamily.self, MPNetFamily.self, ElectraFamily.self,
        AlbertFamily.self, DebertaFamily.self, ModernBertFamily.self, NomicBertFamily.self, EuroBertFamily.self,
    ]
    static let others: [any ModelFamily.Type] = [
        T5Family.self, BartFamily.self, ViTFamily.self, DINOv2Family.self, CLIPFamily.self, CLIPVisionFamily.self,
        ConvNextFamily.self, BeitFamily.self, SwinFamily.self, ResNetFamily.self, SegformerFamily.self,
    ]
}

extension ModelConfiguration {
    /// The last of `architectures` that ends like one of those that are built; those that do not are refused. The head
    /// of the tasks takes the place of one that is left to them.
    func architecture(_ known: [String]) throws(ModelFamilyError) -> String? {
        let given = try texts("architectures")
        if let head, FamilyHead.isOpen(given.first) {
            guard known.contains(head.rawValue) else {
                throw unsupported("architectures", "of the tasks ends in \(head.rawValue), which is not built here")
            }
            return head.rawValue
        }
        guard let name = given.first else { return nil }
        guard given.count == 1, let ending = known.first(where: name.hasSuffix) else {
            throw unsupported("architectures", "has \(given.joined(separator: ", ")), which is not built here")
        }
        return ending
    }

    /// Heads must share the width of a model evenly.
    func headWidth(_ width: Int, heads: Int, key: String) throws(ModelFamilyError) -> Int {
        guard width.isMultiple(of: heads) else {
            throw unsupported(key, "is \(heads), which does not divide the model's width \(width)")
        }
        return width / heads
    }
}
