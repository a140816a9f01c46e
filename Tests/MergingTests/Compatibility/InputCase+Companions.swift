import Foundation

@testable import Merging

/// Files beside the weights, whose content is compared or passed on.
extension InputCase {
    /// Files beside the weights, of the base and of the task.
    private static func beside(
        _ kind: String, base: [String: String], task: [String: String] = [:], _ verdict: Verdict = .refused,
        in suites: [String]
    ) -> InputCase {
        InputCase(kind, .vision, verdict, in: suites) { drop in
            for (name, text) in base { try drop.base.put(name, text: text) }
            for (name, text) in task { try drop.task.put(name, text: text) }
        }
    }

    private static let companionSuites = ["CompanionAdmissionTests"]
    private static let tokenizer = #"{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}}, "added_tokens": []}"#

    private static func classes(_ names: String) -> String { "{\"id2label\": {\(names)}}" }
    private static let taken = Verdict.accepted(within: 1e-6)
    private static let llama = #"{"model_type": "mamba2", "time_step_limit": [0.0, Infinity]}"#
    private static let images = #"{"image_mean": [0.5, 0.5, 0.5], "do_normalize": true}"#

    static let companions: [InputCase] = [
        beside(
            "files that the tokenizers of transformers and the modules of sentence-transformers load",
            base: [
                "spm.model": "\u{0A}\u{01}a", "sentencepiece.bpe.model": "\u{0A}\u{01}a", "dict.txt": "a 1\n",
                "additional_chat_templates/tool_use.jinja": "{{ tools }}", "modules.json": "[]",
                "1_Pooling/config.json": "{}", "config_sentence_transformers.json": "{}",
            ], taken, in: ["CompanionAdmissionTests"]),
        beside(
            "`Infinity` in `config.json`", base: ["config.json": llama], task: ["config.json": llama], taken,
            in: ["CompanionJSONTests", "KnownConfigurationTests"]),
        beside(
            "a key of `config.json` that comes twice, the last as the base's",
            base: ["config.json": #"{"model_type": "vit", "layer_norm_eps": 1e-12}"#],
            task: ["config.json": #"{"model_type": "vit", "layer_norm_eps": 5.0, "layer_norm_eps": 1e-12}"#], taken,
            in: ["CompanionJSONTests"]),
        beside(
            "another chat template", base: ["chat_template.jinja": "{{ a }}"], task: ["chat_template.jinja": "{{ b }}"],
            taken, in: ["CompanionAdmissionTests"]),
        beside(
            "another end of generation", base: ["generation_config.json": #"{"eos_token_id": 1}"#],
            task: ["generation_config.json": #"{"eos_token_id": [1, 2]}"#], taken, in: ["CompanionAdmissionTests"]),
        beside(
            "another start of the decoder", base: ["config.json": #"{"decoder_start_token_id": 0}"#],
            task: ["config.json": #"{"decoder_start_token_id": 5}"#], taken, in: ["CompanionAdmissionTests"]),
        beside(
            "a configuration with a key that is not known here", base: ["config.json": #"{"model_type": "vit"}"#],
            task: ["config.json": #"{"model_type": "vit", "new_gate": true}"#], taken,
            in: ["ConfigurationComparisonTests"]),
    ]

    static let companionsRefused: [InputCase] = [
        InputCase(
            "a head that is merged, for other classes than the base's", .vision, .refused, in: ["LabelNamesTests"]
        ) { drop in
            try drop.base.addClassifier(classes: 3)
            try drop.base.put("config.json", text: classes(#""0": "no", "1": "maybe", "2": "yes""#))
            try drop.task.put("config.json", text: classes(#""0": "sport", "1": "politics", "2": "science""#))
        },
        InputCase("the same where `id2label` is a list", .vision, .refused, in: ["LabelNamesTests"]) { drop in
            try drop.base.addClassifier(classes: 3)
            try drop.base.put("config.json", text: classes(#""0": "no", "1": "maybe", "2": "yes""#))
            try drop.task.put("config.json", text: #"{"id2label": ["yes", "maybe", "no"]}"#)
        },
        beside(
            "images that are prepared otherwise", base: ["preprocessor_config.json": images],
            task: ["preprocessor_config.json": images.replacing("[0.5,", with: "[0.485,")],
            in: ["ProcessorComparisonTests"]),
        beside(
            "tokens of a tokenizer that is not a fast one", base: ["vocab.txt": "a\nb\n"],
            task: ["vocab.txt": "a\nb\n", "added_tokens.json": #"{"<new>": 2}"#], in: companionSuites),
        beside(
            "a base with a server's error message", base: ["tokenizer.json": "Entry not found"], in: companionSuites),
        beside(
            "a base with both sides of a conflict of git",
            base: ["vocab.txt": "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> x\n"], in: companionSuites),
        beside(
            "a base whose `tokenizer.json` is none", base: ["tokenizer.json": #"{"bos_token": "<s>"}"#],
            in: companionSuites),
        beside(
            "a base whose `modules.json` names what a release would lack",
            base: [
                "modules.json": #"[{"path": "pooling", "type": "sentence_transformers.models.Pooling"}]"#,
                "pooling/config.json": "{}",
            ], in: companionSuites),
        beside(
            "a `config.json` that describes another computation",
            base: ["config.json": #"{"model_type": "vit", "layer_norm_eps": 1e-12}"#],
            task: ["config.json": #"{"model_type": "vit", "layer_norm_eps": 1e-5, "hidden_act": "relu"}"#],
            in: companionSuites + ["ConfigurationComparisonTests"]),
        beside(
            "a `config.json` of another family", base: ["config.json": #"{"model_type": "vit"}"#],
            task: ["config.json": #"{"model_type": "deit"}"#], in: companionSuites + ["ConfigurationComparisonTests"]),
        beside(
            "a tokenizer with further tokens", base: ["tokenizer.json": tokenizer],
            task: ["tokenizer.json": tokenizer.replacing("[]", with: ##"[{"id": 2, "content": "<|im_start|>"}]"##)],
            in: companionSuites + ["TokenizerComparisonTests"]),
        beside(
            "another slow tokenizer", base: ["vocab.txt": "a\nb\n"], task: ["vocab.txt": "b\na\n"],
            in: companionSuites),
        beside(
            "other modules of sentence-transformers",
            base: ["1_Pooling/config.json": #"{"pooling_mode_cls_token": true}"#],
            task: ["1_Pooling/config.json": #"{"pooling_mode_mean_tokens": true}"#], in: companionSuites),
        beside(
            "a base with a pointer of Git LFS",
            base: ["tokenizer.json": "version https://git-lfs.github.com/spec/v1\noid sha256:a\nsize 9\n"],
            in: companionSuites),
        beside(
            "a base with the page of a failed download", base: ["vocab.txt": "<!DOCTYPE html><html>"],
            in: companionSuites),
        beside(
            "a base whose `modules.json` names code",
            base: ["modules.json": #"[{"path": "", "type": "mine.Module"}]"#], in: companionSuites),
    ]
}

extension ModelFolder {
    /// A text file beside the weights; folders come with it.
    fileprivate func put(_ name: String, text: String) throws {
        let file = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }
}
