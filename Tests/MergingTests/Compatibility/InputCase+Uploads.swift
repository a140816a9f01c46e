import Foundation
import Safetensors

@testable import Merging

/// Uploads whose names, rows or buffers are not the base's; what is expected of them is what transformers, PEFT or
/// torch make of them.
extension InputCase {
    private static func upload(_ kind: String, _ name: String, in suite: String) -> InputCase {
        InputCase(kind, .upload(name), .accepted(within: 1e-5), in: [suite])
    }

    static let names: [InputCase] = [
        upload("FSDP's and activation checkpointing's parts in the middle of names", "fsdp", in: "NameFormsTests"),
        upload("layers that were compiled one by one (`_orig_mod`)", "compiled-layers", in: "NameFormsTests"),
        upload("a base that has the wrappers' parts", "wrapped-base", in: "NameFormsTests"),
        upload(
            "`weight_g` and `weight_v` where the base has parametrizations", "weight-norm-old", in: "NameFormsTests"),
        upload(
            "parametrizations where the base has `weight_g` and `weight_v`", "weight-norm-new", in: "NameFormsTests"),
        upload("the same of spectral norm", "spectral-norm", in: "NameFormsTests"),
        upload(
            "Qwen2.5-VL under `model.language_model.` and `model.visual.`, the base flat", "qwen-vl-joined",
            in: "NameFormsTests"),
        upload(
            "Qwen2.5-VL flat, the base under `model.language_model.` and `model.visual.`", "qwen-vl-apart",
            in: "NameFormsTests"),
        upload("LLaVA under `model.`, the base in parts", "llava-joined", in: "NameFormsTests"),
        upload("LLaVA in parts, the base under `model.`", "llava-apart", in: "NameFormsTests"),
        upload("buffers that the base lacks", "buffers-of-the-task", in: "AuxiliaryTensorsTests"),
        upload("buffers that only the base has", "buffers-of-the-base", in: "AuxiliaryTensorsTests"),
        upload("layers for further tokens that only the base has", "further-tokens", in: "AuxiliaryTensorsTests"),
        upload("a vocabulary that was cut to the tokens in use", "vocabulary-cut", in: "VocabularyTests"),
        upload("the same of tied embeddings", "vocabulary-cut-tied", in: "VocabularyTests"),
        upload("the same in bfloat16, the base in float32", "vocabulary-cut-half", in: "VocabularyTests"),
        upload("a vocabulary that was padded at the end", "vocabulary-padded", in: "VocabularyTests"),
        upload("a tied output layer that a save left empty", "tied-placeholder", in: "VocabularyTests"),
        upload("an index that names a tied tensor of no shard", "tied-of-no-shard", in: "CheckpointTests"),
        upload("the `module` of data parallel parts in the middle of names", "parallel-parts", in: "NameFormsTests"),
    ]

    static let adapterUploads: [InputCase] = [
        upload("the adapter's name inside of names (`lora_A.default.weight`)", "adapter-named", in: "AdapterKeyTests"),
        upload("the whole state dict of PEFT's model", "adapter-whole-state", in: "AdapterKeyTests"),
        upload("FSDP's and activation checkpointing's parts inside of names", "adapter-wrapped", in: "AdapterKeyTests"),
        upload(
            "the adapter's name behind `modules_to_save`", "adapter-named-with-module", in: "AdapterKeyTests"),
        upload("MiCA", "mica", in: "AdaptersTests/RefusalTests"),
        upload(
            "`ensure_weight_tying`, nothing of the embedding trained", "tied-elsewhere", in: "AdapterTiesTests"),
        upload("`ensure_weight_tying`, a tied embedding saved whole", "tied-saved", in: "AdapterTiesTests"),
        upload("the same by its output layer", "tied-saved-by-head", in: "AdapterTiesTests"),
        upload("`ensure_weight_tying`, LoRA on a tied embedding", "tied-lora", in: "AdapterTiesTests"),
        upload("the same by its output layer", "tied-lora-by-head", in: "AdapterTiesTests"),
        upload("unchanged copies of a tied embedding (`save_embedding_layers`)", "tied-copies", in: "AdapterTiesTests"),
        upload("LoRA on a vocabulary that was cut", "vocabulary-cut-lora", in: "VocabularyTests"),
        upload("a vocabulary that was cut, carried whole", "vocabulary-cut-copies", in: "VocabularyTests"),
    ]
}
