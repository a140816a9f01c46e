import Files
import Foundation

extension InputCase {
    /// An adapter that PEFT wrote, and that must come out as PEFT itself folds it into the base.
    private static func folded(_ kind: String, _ name: String) -> InputCase {
        let base: Base = name.hasPrefix("turned/") ? .turned : .modules
        return InputCase(kind, base, .accepted(within: 1e-5), in: ["AdapterParityTests", "AdapterRunTests"]) {
            try $0.adapt("\(AdapterFixture.root)/\(name)")
        }
    }

    /// Adapters that are one of the above, with a file written otherwise.
    static let adapterVariants: [InputCase] = [
        InputCase(
            "a key of `adapter_config.json` that comes twice, of which the last counts", .modules,
            .accepted(within: 1e-5), in: ["AlphaPatternTests", "AdapterRunTests"]
        ) {
            try $0.adapt("\(AdapterFixture.root)/lora")
            let file = URL(filePath: $0.task.path + "/adapter_config.json")
            let text = try String(contentsOf: file, encoding: .utf8)
            let twice = text.replacing("{", with: "{\"lora_alpha\": 800, ", maxReplacements: 1)
            try Data(twice.utf8).write(to: file)
        },
        InputCase(
            "an adapter that names another base than the base's `_name_or_path`", .modules, .accepted(within: 1e-5),
            in: ["BaseNameTests"]
        ) {
            try $0.adapt("\(AdapterFixture.root)/lora")
            try $0.configure(#"{"base_model_name_or_path": "someone/another-7b-instruct"}"#)
            try Data(#"{"_name_or_path": "someone/one-7b"}"#.utf8).write(
                to: URL(filePath: $0.base.path + "/config.json"))
        },
        InputCase(
            "an adapter that names a base, where nothing says what the base is", .modules, .accepted(within: 1e-5),
            in: ["BaseNameTests"]
        ) {
            try $0.adapt("\(AdapterFixture.root)/lora")
            try $0.configure(#"{"base_model_name_or_path": "someone/one-7b"}"#)
        },
    ]

    static let adapters: [InputCase] = [
        folded("LoRA, with a head in `modules_to_save`", "lora"),
        folded("rsLoRA, with `rank_pattern` and `alpha_pattern`", "rslora"),
        folded("LoRA with regular expressions in `alpha_pattern`", "patterns"),
        folded("LoRA on an embedding", "embedding"), folded("LoRA on convolutions", "convolution"),
        folded("LoRA with `bias: all`", "biases"), folded("LoRA with `bias: lora_only`", "adapted-biases"),
        folded("LoRA with `lora_bias`", "lora-bias"),
        folded("LoRA with layers of the trunk in `modules_to_save`", "saved"),
        folded("LoRA whose `target_modules` is a regular expression", "expression"),
        folded("LoRA with `fan_in_fan_out`", "turned/lora"),
        folded("CorDA, converted by PEFT", "corda"), folded("LoRA-GA, converted by PEFT", "lora-ga"),
        folded("(IA)³ on outputs and inputs", "ia3"), folded("(IA)³ on convolutions", "ia3-convolution"),
        folded("(IA)³ with `fan_in_fan_out`, on outputs", "turned/ia3"),
        folded("(IA)³ with `fan_in_fan_out`, on inputs", "turned/ia3-inputs"),
        InputCase(
            "LoRA under the prefix of a tower that the base lacks, with its head beside it", .modules,
            .accepted(within: 1e-5), in: ["TowerAdapterTests"]
        ) {
            try $0.adapt(AdapterFixture.root + "/lora")
            try $0.task.renameFactors(from: "base_model.model.", to: "base_model.model.net.")
        },
        InputCase(
            "LoRA without the prefix of the base's tower, which has a head beside it", .modules,
            .accepted(within: 1e-5), in: ["TowerAdapterTests"]
        ) {
            try $0.adapt(AdapterFixture.root + "/lora")
            let head = ModelFolder.Content([1, 2, 3] as [Float], .f32)
            let inBase = { (name: String) in name.hasPrefix("classifier.") ? name : "net." + name }
            try $0.base.rename(inBase)
            try $0.base.change { $0["cls.bias"] = head }
            $0.expected = Dictionary(uniqueKeysWithValues: $0.expected.map { (inBase($0.key), $0.value) })
            $0.expected["cls.bias"] = head
        },
        InputCase(
            "LoRA with a head of its own, where the base has another one", .vision, .accepted(within: 1e-5),
            in: ["AdapterAdmissionTests"]
        ) {
            try $0.base.addClassifier(classes: 3)
            try $0.becomeAdapter(AdapterFixture.root + "/vit/letters", folded: "letters")
        },
        InputCase(
            "LoRA with a head of another size than the base's, named under `head`", .vision, .accepted(within: 1e-5),
            in: ["AdapterAdmissionTests", "AdapterRunTests"]
        ) {
            try $0.base.addClassifier(classes: 2)
            try $0.becomeAdapter(AdapterFixture.root + "/vit/letters", folded: "letters")
            try $0.settings("head: [classifier]")
        },
        InputCase("half precision", .modules, .accepted(within: 1e-2), in: ["AdapterRunTests"]) {
            try $0.adapt(AdapterFixture.root + "/lora")
            let file = "adapter_model.safetensors"
            try $0.task.change(file) { tensors in
                for (name, content) in tensors {
                    tensors[name] = try SafetensorsDTypeCase.bf16.content(
                        content.values(Float.self), shape: content.shape)
                }
            }
        },
    ]

    /// As PEFT wrote it.
    private static func unmergeable(_ kind: String, _ name: String, _ base: Base = .modules) -> InputCase {
        InputCase(kind, base, .refused, in: ["AdaptersTests/RefusalTests"]) {
            try $0.adapt("\(InputUpload.refused)/\(name)")
        }
    }

    /// A plain LoRA with other settings.
    private static func configured(_ kind: String, _ keys: String) -> InputCase {
        InputCase(kind, .modules, .refused, in: ["AdaptersTests/RefusalTests"]) {
            try $0.adapt(AdapterFixture.root + "/lora")
            try $0.configure(keys)
        }
    }

    static let adaptersRefused: [InputCase] = [
        unmergeable("DoRA", "dora"), unmergeable("PiSSA, not converted", "pissa"),
        unmergeable("OLoRA, not converted", "olora"), unmergeable("CorDA, not converted", "corda"),
        unmergeable("LoRA-GA, not converted", "lora-ga"), unmergeable("LoHa", "loha"),
        unmergeable("AdaLoRA", "adalora"),
        unmergeable("VeRA", "vera"), unmergeable("`trainable_token_indices`", "tokens"),
        unmergeable("`fan_in_fan_out` for some square matrices only", "mixed-orientation", .mixed),
        configured("LoftQ", #"{"init_lora_weights": "loftq", "loftq_config": {"loftq_bits": 4}}"#),
        configured("`layer_replication`", #"{"layer_replication": [[0, 2], [1, 3]]}"#),
        configured("prompt tuning", #"{"peft_type": "PROMPT_TUNING"}"#),
        configured("prefix tuning", #"{"peft_type": "PREFIX_TUNING"}"#),
        configured("`target_parameters` (experts)", #"{"target_parameters": ["experts.w"]}"#),
        configured("aLoRA", #"{"alora_invocation_tokens": [1, 2]}"#), configured("QALoRA", #"{"use_qalora": true}"#),
        configured(
            "a regular expression in `alpha_pattern` that can't be resolved",
            #"{"alpha_pattern": {"(?!layer.0).*query": 4}}"#),
        configured("a key that is not known and switched on", #"{"a_key_of_tomorrow": true}"#),
        configured("a rank that the configuration does not say", #"{"r": 5}"#),
        InputCase("LoRA on a tied embedding", .family("gpt2"), .refused, in: ["AdaptersTests/RefusalTests"]) {
            try $0.adaptEmbedding()
        },
        InputCase(
            "the same without a graph, where `config.json` tells the tie", .family("gpt2"), .refused,
            in: ["ConfiguredTiesTests"]
        ) {
            try $0.adaptEmbedding()
            try $0.base.removeFile("graph.pt2")
            try $0.task.removeFile("config.json")
            let text = #"{"model_type": "other", "architectures": ["OtherLMHeadModel"]}"#
            try Data(text.utf8).write(to: URL(filePath: $0.base.path + "/config.json"))
        },
        InputCase("an adapter of another base", .turned, .refused, in: ["AdapterAdmissionTests"]) {
            try $0.adapt(AdapterFixture.root + "/lora")
        },
        InputCase("a head that is not in `modules_to_save`", .vision, .refused, in: ["AdapterAdmissionTests"]) {
            try $0.becomeAdapter(AdapterFixture.root + "/vit/letters")
            try $0.task.change("adapter_model.safetensors") { $0 = $0.filter { !$0.key.contains("classifier") } }
        },
        InputCase("a head of another size than the base's, not named", .vision, .refused, in: ["AdapterAdmissionTests"])
        {
            try $0.base.addClassifier(classes: 2)
            try $0.becomeAdapter(AdapterFixture.root + "/vit/letters")
        },
        InputCase("beside full weights", .vision, .refused, in: ["AdapterAdmissionTests"]) {
            try $0.adapt(AdapterFixture.root + "/vit/letters")
        },
        InputCase("half of an adapter", .modules, .refused, in: ["AdapterAdmissionTests"]) {
            try $0.adapt(AdapterFixture.root + "/lora")
            try $0.task.removeFile("adapter_config.json")
        },
    ]
}

extension InputUpload {
    /// An adapter in the place of full weights.
    mutating func becomeAdapter(_ source: String) throws {
        try task.removeFile("model.safetensors")
        try adapt(source)
    }

    /// The same, and what PEFT folds it to.
    mutating func becomeAdapter(_ source: String, folded: String) throws {
        try becomeAdapter(source)
        expected = try ModelFolder(at: AdapterFixture.root + "/folded/" + folded).tensors()
    }
}

extension InputUpload {
    /// A LoRA on the embedding of the tiny GPT-2 in the place of full weights.
    func adaptEmbedding() throws {
        try task.removeFile("model.safetensors")
        let name = "base_model.model.transformer.wte.lora_embedding_"
        try task.write(
            [
                name + "A": .init([Float](repeating: 0.1, count: 2 * 24), .f32, shape: [2, 24]),
                name + "B": .init([Float](repeating: 0.1, count: 8 * 2), .f32, shape: [8, 2]),
            ], to: "adapter_model.safetensors")
        let text = #"{"peft_type": "LORA", "r": 2, "lora_alpha": 2, "target_modules": ["wte"]}"#
        try Data(text.utf8).write(to: URL(filePath: task.path + "/adapter_config.json"))
    }
}

extension ModelFolder {
    /// Gives what an adapter adds to the trunk another prefix; its head keeps its own.
    func renameFactors(from prefix: String, to other: String) throws {
        try change("adapter_model.safetensors") { tensors in
            tensors = Dictionary(
                uniqueKeysWithValues: tensors.map { name, content in
                    (name.contains("lora_") ? other + String(name.dropFirst(prefix.count)) : name, content)
                })
        }
    }

    /// Gives the base of the tiny ViT a classifier, as far from a task's as random numbers are.
    func addClassifier(classes: Int) throws {
        try change {
            let noise = AdapterFixture.noise(classes * 16, seed: 5)
            $0["classifier.weight"] = .init(noise, .f32, shape: [classes, 16])
            $0["classifier.bias"] = .init([Float](repeating: -0.5, count: classes), .f32)
        }
    }

    func removeFile(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(name)") }
}
