/// The page of families: what is built, by the names that people know.
package enum FamilyCatalog {
    /// One line of the table.
    package struct Row: Sendable {
        let kind: String
        let families: [(name: String, modelTypes: [String])]
        let heads: String

        /// Values of `model_type`.
        package var modelTypes: [String] { families.flatMap(\.modelTypes) }

        /// A row in Markdown.
        package var line: String {
            let names = families.map { "\($0.name) (\($0.modelTypes.map { "`\($0)`" }.joined(separator: ", ")))" }
            return "| \(kind) | \(names.joined(separator: ", ")) | \(heads) |"
        }
    }

    /// The table's head and its rows, each a line of Markdown.
    package static var lines: [String] {
        ["| kind | families (`model_type`) | heads (`architectures`) |", "| --- | --- | --- |"] + rows.map(\.line)
    }

    package static let rows = [
        decoders, mixturesOfExperts, modelsForImagesAndText, encoders, encoderDecoders, vision,
    ]

    private static let decoders = Row(
        kind: "decoders",
        families: [
            ("Llama 1–3", ["llama"]),
            ("Mistral and Ministral", ["mistral", "ministral", "ministral3"]),
            ("Qwen2, 2.5 and 3", ["qwen2", "qwen3"]),
            ("Gemma 1–3 for texts", ["gemma", "gemma2", "gemma3_text"]),
            ("Phi-2 to 4", ["phi", "phi3"]),
            ("SmolLM3", ["smollm3"]),
            ("OLMo 1–3", ["olmo", "olmo2", "olmo3"]),
            ("Granite 3", ["granite"]),
            ("StableLM", ["stablelm"]),
            ("Command R", ["cohere", "cohere2"]),
            ("GLM-4", ["glm", "glm4"]),
            ("GPT-2", ["gpt2"]),
            ("GPT-J", ["gptj"]),
            ("GPT-NeoX and Pythia", ["gpt_neox"]),
            ("OPT", ["opt"]),
            ("XGLM", ["xglm"]),
            ("Falcon", ["falcon", "RefinedWeb", "RefinedWebModel"]),
            ("BLOOM", ["bloom"]),
            ("StarCoder", ["gpt_bigcode", "starcoder2"]),
            ("ERNIE 4.5", ["ernie4_5"]),
            ("Seed-OSS", ["seed_oss"]),
            ("EXAONE 4", ["exaone4"]),
            ("Apertus", ["apertus"]),
            ("Nemotron", ["nemotron"]),
            ("HunYuan", ["hunyuan_v1_dense"]),
            ("BitNet", ["bitnet"]),
            ("GPT-Neo", ["gpt_neo"]),
            ("MPT", ["mpt"]),
        ],
        heads: "`…ForCausalLM`, `…ForSequenceClassification` (the last token that is not padding; needs a "
            + "`pad_token_id`), `…ForTokenClassification`")

    private static let mixturesOfExperts = Row(
        kind: "mixtures of experts",
        families: [
            ("Mixtral", ["mixtral"]),
            ("Qwen2-MoE and Qwen3-MoE", ["qwen2_moe", "qwen3_moe"]),
            ("OLMoE", ["olmoe"]),
            ("gpt-oss", ["gpt_oss"]),
            ("DeepSeek-V2 and V3", ["deepseek_v2", "deepseek_v3"]),
            ("GLM-4.5", ["glm4_moe"]),
        ],
        heads: "as decoders; experts as the file has them, single or fused. Every expert computes every token")

    private static let modelsForImagesAndText = Row(
        kind: "models for images and text, for texts alone",
        families: [
            ("Gemma 3", ["gemma3"]),
            ("Qwen2-VL, 2.5-VL and 3-VL", ["qwen2_vl", "qwen2_5_vl", "qwen3_vl"]),
            ("Mistral 3", ["mistral3"]),
            ("LLaVA", ["llava", "llava_next", "llava_onevision"]),
            ("InternVL", ["internvl"]),
            ("Idefics 3 and SmolVLM", ["idefics3", "smolvlm"]),
        ],
        heads: "`…ForConditionalGeneration`; tasks may be fine-tunes of the language part alone (`gemma3_text`, "
            + "`mistral`, …)")

    private static let encoders = Row(
        kind: "encoders",
        families: [
            ("BERT", ["bert"]),
            ("RoBERTa", ["roberta"]),
            ("XLM-RoBERTa", ["xlm-roberta"]),
            ("CamemBERT", ["camembert"]),
            ("DistilBERT", ["distilbert"]),
            ("MPNet", ["mpnet"]),
            ("ELECTRA", ["electra"]),
            ("ALBERT", ["albert"]),
            ("DeBERTa 1–3", ["deberta", "deberta-v2"]),
            ("ModernBERT", ["modernbert"]),
            ("NomicBERT", ["nomic_bert"]),
            ("EuroBERT", ["eurobert"]),
        ],
        heads: "`…ForSequenceClassification`, `…ForTokenClassification`, `…ForMultipleChoice`, "
            + "`…ForQuestionAnswering`, "
            + "`…ForMaskedLM` where the tasks have it ([objectives.md](objectives.md))")

    private static let encoderDecoders = Row(
        kind: "encoder-decoders",
        families: [
            ("T5, mT5, umT5", ["t5", "mt5", "umt5"]),
            ("BART, mBART", ["bart", "mbart"]),
            ("Pegasus", ["pegasus"]),
            ("Marian", ["marian"]),
            ("M2M100 and NLLB", ["m2m_100"]),
        ],
        heads: "`…ForConditionalGeneration`; `…ForSequenceClassification` of T5 and BART")

    private static let vision = Row(
        kind: "vision",
        families: [
            ("ViT", ["vit"]),
            ("DeiT with a teacher or without", ["deit", "vit"]),
            ("DINOv2 with registers or without", ["dinov2", "dinov2_with_registers"]),
            ("CLIP and SigLIP", ["clip", "siglip", "clip_vision_model", "siglip_vision_model"]),
            ("BEiT and data2vec", ["beit", "data2vec-vision"]),
            ("Swin 1 and 2", ["swin", "swinv2"]),
            ("ConvNeXt 1 and 2", ["convnext", "convnextv2"]),
            ("ResNet", ["resnet"]),
            ("SegFormer", ["segformer"]),
        ],
        heads: "`…ForImageClassification`; `SegformerForSemanticSegmentation`; `CLIPModel` and `SiglipModel` where the "
            + "tasks are whole ([objectives.md](objectives.md))")
}
