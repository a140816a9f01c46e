import Safetensors

@testable import Merging

extension InputCase {
    private static let admission = ["AdmissionAttackTests"]
    private static let vocabulary = "transformer.wte.weight"

    /// What `save_pretrained` writes of a whole model.
    static let fullWeights: [InputCase] =
        types + layouts + legacy + [
            InputCase("tied weights, stored once", .family("gpt2"), .accepted(within: 1e-5), in: ["TiedNamesTests"]),
            InputCase(
                "tied weights, stored under both names", .family("gpt2"), .accepted(within: 1e-5),
                in: ["TiedNamesTests"]
            ) {
                try $0.task.change { $0["lm_head.weight"] = $0[vocabulary] }
            },
            InputCase(
                "integer buffers that the base has and the fine-tune lacks", .vision, .accepted(within: 1e-5),
                in: ["AdmissionAttackTests"]
            ) {
                let positions = ModelFolder.Content((0..<10).map { Int64($0) }, .i64, shape: [1, 10])
                try $0.base.change { $0["vit.embeddings.position_ids"] = positions }
                $0.expected["vit.embeddings.position_ids"] = positions
            },
            InputCase(
                "a head of another size than the base's, named under `head`", .vision, .accepted(within: 1e-6),
                in: ["HeadTests"]
            ) {
                try $0.base.addClassifier(classes: 2)
                try $0.settings("head: [classifier]")
            },
            InputCase("`__metadata__` that is null", .vision, .accepted(within: 1e-6), in: ["HeaderAttackTests"]) {
                try $0.task.writeMetadata("null")
            },
            InputCase("a fine-tune that was pruned", .vision, .accepted(within: 1e-6), in: ["ValueCheckTests"]) {
                try $0.task.change { tensors in
                    let name = "vit.layers.0.attention.k_proj.weight"
                    let values = tensors[name]!.values(Float.self).enumerated().map {
                        $0.offset % 2 == 0 ? 0 : $0.element
                    }
                    tensors[name] = .init(values, .f32, shape: [16, 16])
                }
                $0.expected = try $0.task.tensors()
            },
            InputCase("a matrix turned around", .vision, .accepted(within: 1e-6), in: ["ValueCheckTests"]) {
                try $0.task.change { tensors in
                    let name = "vit.layers.0.attention.k_proj.weight"
                    tensors[name] = .init(tensors[name]!.values(Float.self).map { -$0 }, .f32, shape: [16, 16])
                }
                $0.expected = try $0.task.tensors()
            },
            InputCase("examples without labels", .vision, .accepted(within: 1e-5), in: ["UnlabelledTests"]) {
                try $0.task.change("validation.safetensors") { $0["labels"] = nil }
            },
        ]

    private static let types: [InputCase] = [
        InputCase("float32", .vision, .accepted(within: 1e-6), in: ["MergeRunTests"]),
        InputCase("float16", .vision, .accepted(within: 1e-3), in: ["ObjectiveRunTests"]) { try $0.task.convert(.f16) },
        InputCase("bfloat16", .vision, .accepted(within: 8e-3), in: ["ObjectiveRunTests"]) {
            try $0.task.convert(.bf16)
        },
        InputCase("float64", .vision, .accepted(within: 1e-6), in: ["ObjectiveRunTests"]) { try $0.task.convert(.f64) },
        InputCase("float32 and bfloat16 mixed", .vision, .accepted(within: 8e-3), in: ["ObjectiveRunTests"]) {
            try $0.task.convert(.bf16) { $0 % 2 == 0 }
        },
        InputCase(
            "a base in bfloat16, the fine-tune in float32", .vision, .accepted(within: 8e-3), in: ["ObjectiveRunTests"]
        ) {
            try $0.base.convert(.bf16)
        },
    ]

    private static let layouts: [InputCase] = [
        InputCase("shards with an index", .vision, .accepted(within: 1e-6), in: ["CheckpointTests"]) { try $0.shard() },
        InputCase("every name behind `model.`", .vision, .accepted(within: 1e-6), in: ["FittingTests"]) {
            try $0.task.rename { "model." + $0 }
        },
        InputCase("every name behind `module.`", .vision, .accepted(within: 1e-6), in: ["FittingTests"]) {
            try $0.task.rename { "module." + $0 }
        },
        InputCase(
            "every name behind `module._orig_mod.`, one wrapper in another", .vision, .accepted(within: 1e-6),
            in: ["FittingTests"]
        ) {
            try $0.task.rename { "module._orig_mod." + $0 }
        },
        InputCase("without the base's first prefix", .vision, .accepted(within: 1e-6), in: ["FittingTests"]) {
            try $0.task.rename { $0.hasPrefix("vit.") ? String($0.dropFirst(4)) : $0 }
        },
    ]

    private static func old(_ drop: inout InputUpload) throws {
        try drop.base.rename(LegacyNamesTests.old)
        drop.expected = Dictionary(
            uniqueKeysWithValues: drop.expected.map { (LegacyNamesTests.old($0.key), $0.value) })
    }

    private static let legacy: [InputCase] = [
        InputCase(
            "`LayerNorm.gamma` and `LayerNorm.beta`, in the base and in the fine-tune", .family("bert"),
            .accepted(within: 1e-5), in: ["MergingTests/LegacyNamesTests"]
        ) {
            try old(&$0)
            try $0.task.rename(LegacyNamesTests.old)
        },
        InputCase(
            "`LayerNorm.gamma` and `LayerNorm.beta`, in the base alone", .family("bert"), .accepted(within: 1e-5),
            in: ["MergingTests/LegacyNamesTests"]
        ) { try old(&$0) },
        InputCase(
            "`LayerNorm.gamma` and `LayerNorm.beta`, in the fine-tune alone", .family("bert"), .accepted(within: 1e-5),
            in: ["MergingTests/LegacyNamesTests"]
        ) { try $0.task.rename(LegacyNamesTests.old) },
    ]

    static let fullWeightsRefused: [InputCase] =
        [
            InputCase(
                "a base with a tensor under another name than its archive's", .vision, .refused,
                in: ["MisnamedBaseTests"]
            ) {
                try $0.base.rename { $0 == "vit.layernorm.weight" ? "vit.layernorm.scale" : $0 }
            },
            InputCase("a vocabulary that was resized", .family("gpt2"), .refused, in: admission) {
                try $0.task.change {
                    $0[vocabulary] = .init([Float](repeating: 0.1, count: 25 * 8), .f32, shape: [25, 8])
                }
            },
            InputCase("tied weights, stored with different values", .family("gpt2"), .refused, in: ["TiedNamesTests"]) {
                try $0.task.change {
                    $0["lm_head.weight"] = .init([Float](repeating: 1, count: 24 * 8), .f32, shape: [24, 8])
                }
            },
            InputCase(
                "a base with tied weights, stored with different values", .family("gpt2"), .refused,
                in: ["TiedNamesTests"]
            ) {
                try $0.base.change {
                    $0["lm_head.weight"] = .init([Float](repeating: 1, count: 24 * 8), .f32, shape: [24, 8])
                }
            },
            InputCase("a tensor is missing", .vision, .refused, in: admission) {
                try $0.task.change { $0["vit.layernorm.weight"] = nil }
            },
            InputCase("a tensor is missing, every name behind `module.`", .vision, .refused, in: admission) {
                try $0.task.change { tensors in
                    tensors["vit.layernorm.weight"] = nil
                    tensors = Dictionary(uniqueKeysWithValues: tensors.map { ("module.\($0)", $1) })
                }
            },
            InputCase("an adapter that was saved with its base, not merged", .vision, .refused, in: admission) {
                try $0.task.change { tensors in
                    let moved = tensors.map { ($0.replacing("k_proj.weight", with: "k_proj.base_layer.weight"), $1) }
                    tensors = Dictionary(uniqueKeysWithValues: moved)
                }
            },
            InputCase("the names of Meta's checkpoints", .vision, .refused, in: admission) {
                try $0.task.change { $0["tok_embeddings.weight"] = $0.removeValue(forKey: "vit.layernorm.weight") }
            },
            InputCase("the head is missing", .vision, .refused, in: admission) {
                try $0.task.change { $0 = $0.filter { !$0.key.hasPrefix("classifier") } }
            },
            InputCase("a head of another size than the base's, not named", .vision, .refused, in: admission) {
                try $0.base.addClassifier(classes: 2)
            },
            InputCase("a tensor too many", .vision, .refused, in: admission) {
                try $0.task.change { $0["pooler.weight"] = .init([Float](repeating: 1, count: 4), .f32) }
            },
            InputCase("a tensor of another shape", .vision, .refused, in: admission) {
                try $0.task.change { $0["vit.layernorm.weight"]?.shape = [4, 4] }
            },
            InputCase("integers where the base has floating point", .vision, .refused, in: admission) {
                try $0.task.change {
                    $0["vit.layernorm.weight"] = .init([Int64](repeating: 1, count: 16), .i64)
                }
            },
            InputCase("NaN or infinity", .vision, .refused, in: admission) {
                try $0.task.change { $0["vit.layernorm.bias"] = .init([Float](repeating: .nan, count: 16), .f32) }
            },
            InputCase("a fine-tune of another base", .vision, .refused, in: admission) {
                try $0.task.change { tensors in
                    for (name, content) in tensors where content.shape.count > 1 {
                        let noise = AdapterFixture.noise(content.shape.reduce(1, *), seed: UInt64(name.utf8.count))
                        tensors[name] = .init(noise, .f32, shape: content.shape)
                    }
                }
            },
            InputCase("a shard that the index names is not there", .vision, .refused, in: ["SettlingTests"]) {
                try $0.shard()
                try $0.task.removeFile("model-00002-of-00002.safetensors")
            },
            InputCase("`pytorch_model.bin`", .vision, .refused, in: admission) { try $0.put("pytorch_model.bin") },
            InputCase("`training_args.bin`, which the Trainer leaves", .vision, .refused, in: admission) {
                try $0.put("training_args.bin")
            },
            InputCase("weights that bitsandbytes has quantised", .vision, .refused, in: admission) {
                try $0.task.change { $0["vit.layernorm.SCB"] = .init([Float](repeating: 1, count: 4), .f32) }
            },
            InputCase("floats of 8 bits", .vision, .refused, in: admission) {
                try $0.task.put(
                    "model.safetensors", header: #"{"w":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}"#,
                    bytes: 8)
            },
            InputCase("`model.pt`", .vision, .refused, in: admission) { try $0.put("model.pt") },
            InputCase("an archive", .vision, .refused, in: admission) { try $0.put("model.zip") },
            InputCase("code", .vision, .refused, in: admission) { try $0.put("modeling.py") },
            InputCase("examples with several classes at once", .vision, .refused, in: ["ObjectiveAdmissionTests"]) {
                try $0.task.change("validation.safetensors") { tensors in
                    let count = tensors["labels"]?.shape.first ?? 0
                    let flags = (0..<2 * count).map { Float($0 % 2) }
                    tensors["labels"] = .init(flags, .f32, shape: [count, 2])
                }
            },
            InputCase("no examples, with a method that learns", .vision, .refused, in: admission) {
                try $0.task.removeFile("validation.safetensors")
            },
        ] + RefusalCase.pageRows.map { InputCase($0.name, .vision, .refused, in: ["OneRuleBookTests"], $0.change) }
}
