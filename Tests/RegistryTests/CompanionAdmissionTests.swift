import Foundation
import Testing
import WorkerProtocol

@testable import Tasks

/// What lies beside the weights of a task or a base: configuration, tokenizer, modules, and files that are not what
/// they claim.
struct CompanionAdmissionTests {
    private static let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 9084\n"
    private static let tokenizer =
        #"{"version": "1.0", "added_tokens": [{"id": 1, "content": "<s>", "special": true}], "normalizer": null, "#
        + #""pre_tokenizer": {"type": "Whitespace"}, "model": {"type": "WordLevel", "vocab": {"a": 0, "<s>": 1, "b": 2}}}"#

    /// The scan's verdict on a task with these files beside its weights, on a base with those.
    private func scan(base: [String: String] = [:], task: [String: String] = [:]) async throws -> RegistrySnapshotOf {
        let registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask()
        for (name, text) in base { try registry.write("base/" + name, Array(text.utf8)) }
        for (name, text) in task { try registry.write("tasks/t/" + name, Array(text.utf8)) }
        let snapshot = try await registry.settledScan()
        return RegistrySnapshotOf(
            base: snapshot.base.refusal?.code, baseMessage: snapshot.base.refusal?.message,
            files: snapshot.base.content?.source.files.map(\.name) ?? [],
            baseWarnings: snapshot.base.content?.source.warnings ?? [], code: snapshot.tasks["t"]?.refusal?.code,
            message: snapshot.tasks["t"]?.refusal?.message, warnings: snapshot.tasks["t"]?.content?.source.warnings)
    }

    private struct RegistrySnapshotOf {
        var base: String?
        var baseMessage: String?
        var files: [String]
        var baseWarnings: [String]
        var code: String?
        var message: String?
        var warnings: [String]?
    }

    @Test func refusesAnotherConfiguration() async throws {
        let base = #"{"model_type": "llama", "rms_norm_eps": 1e-06}"#
        let found = try await scan(
            base: ["config.json": base], task: ["config.json": #"{"model_type": "llama", "rms_norm_eps": 0.1}"#])
        #expect(found.code == "configuration-differs")
        #expect(found.message?.contains("`rms_norm_eps` is 0.1, the base's 1e-06") == true, "\(found)")
        let same = try await scan(base: ["config.json": base], task: ["config.json": #"{"model_type": "llama"}"#])
        #expect(same.warnings == [])
    }

    @Test(arguments: [
        (#"{"id": 2, "content": "<|im_start|>"}"#, "lacks the tokens `<|im_start|>`"),
        (#"{"id": 0, "content": "<s>"}"#, "another id"),
    ]) func refusesOtherTokens(_ token: String, _ named: String) async throws {
        let own = Self.tokenizer.replacingOccurrences(
            of: #"{"id": 1, "content": "<s>", "special": true}"#, with: token)
        let found = try await scan(base: ["tokenizer.json": Self.tokenizer], task: ["tokenizer.json": own])
        #expect(found.code == "tokenizer-differs" && found.message?.contains(named) == true, "\(found)")
    }

    @Test(arguments: [
        (#"{"type": "Whitespace"}"#, #"{"type": "BertPreTokenizer"}"#),
        (#""normalizer": null"#, #""normalizer": {"type": "Lowercase"}"#),
        (#""a": 0"#, #""c": 0"#), (#""type": "WordLevel""#, #""type": "WordLevel", "unk_token": "a""#),
    ]) func refusesAnotherPipeline(_ part: String, _ other: String) async throws {
        let own = Self.tokenizer.replacingOccurrences(of: part, with: other)
        let found = try await scan(base: ["tokenizer.json": Self.tokenizer], task: ["tokenizer.json": own])
        #expect(found.code == "tokenizer-differs", "\(found)")
    }

    @Test(arguments: [
        (
            #""version": "1.0""#,
            #""version": "1.1", "truncation": {"max_length": 12}, "padding": {"strategy": "BatchLongest"}"#
        ),
        (#""special": true"#, #""special": false, "normalized": false"#), (#""normalizer": null, "#, ""),
    ]) func takesWhatChangesNoId(_ part: String, _ other: String) async throws {
        let own = Self.tokenizer.replacingOccurrences(of: part, with: other)
        let found = try await scan(base: ["tokenizer.json": Self.tokenizer], task: ["tokenizer.json": own])
        #expect(found.warnings == [], "\(found)")
    }

    @Test func warnsOfTemplateAndEnd() async throws {
        let found = try await scan(
            base: [
                "tokenizer.json": Self.tokenizer, "chat_template.jinja": "{{ a }}",
                "generation_config.json": #"{"eos_token_id": 1}"#,
                "tokenizer_config.json": #"{"eos_token": "<s>"}"#,
            ],
            task: [
                "tokenizer.json": Self.tokenizer, "chat_template.jinja": "{{ b }}",
                "generation_config.json": #"{"eos_token_id": [1, 2]}"#,
                "tokenizer_config.json": #"{"eos_token": {"content": "b"}}"#,
            ])
        let warnings = try #require(found.warnings)
        #expect(warnings.count == 3, "\(warnings)")
        for word in ["chat template", "eos_token_id", "`eos_token` is `b`, the base's `<s>`"] {
            #expect(warnings.contains { $0.contains(word) }, "\(warnings)")
        }
    }

    @Test func warnsOfATokenizerThatTheBaseLacks() async throws {
        let found = try await scan(task: ["tokenizer.json": Self.tokenizer])
        #expect(found.warnings?.count == 1 && found.warnings?.first?.contains("a release has none") == true)
        #expect(try await scan(task: ["tokenizer.json": Self.pointer]).code == "not-what-it-claims")
        #expect(try await scan(task: ["vocab.txt": "Entry not found"]).code == "not-what-it-claims")
    }

    @Test func warnsOfAnotherStart() async throws {
        let found = try await scan(
            base: ["config.json": #"{"decoder_start_token_id": 0}"#, "generation_config.json": "{}"],
            task: [
                "config.json": #"{"decoder_start_token_id": 5}"#,
                "generation_config.json": #"{"forced_bos_token_id": 3, "eos_token_id": null}"#,
            ])
        let warnings = try #require(found.warnings)
        #expect(warnings.count == 2, "\(warnings)")
        #expect(warnings.contains { $0.contains("`decoder_start_token_id` is 5, the base's 0") })
        #expect(warnings.contains { $0.contains("`forced_bos_token_id` is 3, the base's not set") })
    }

    @Test func comparesSlowVocabularies() async throws {
        let found = try await scan(base: ["vocab.txt": "a\nb\n"], task: ["vocab.txt": "a\r\nb\r\n"])
        #expect(found.warnings == [])
        for (name, own, other) in [
            ("vocab.txt", "b\na\n", "a\nb\n"), ("vocab.json", #"{"a": 0}"#, #"{"a": 1}"#),
            ("merges.txt", "#version: 0.2\na b", "a c"),
            ("spm.model", "\u{0A}\u{01}a", "\u{0A}\u{01}b"),
        ] {
            let found = try await scan(base: [name: other], task: [name: own])
            #expect(found.code == "tokenizer-differs", "\(name): \(found)")
        }
        let options = try await scan(
            base: ["tokenizer_config.json": #"{"do_lower_case": true}"#],
            task: ["tokenizer_config.json": #"{"do_lower_case": false}"#])
        #expect(options.code == "tokenizer-differs")
    }

    /// Tokens that tokenizers without a `tokenizer.json` keep in a file of their own.
    @Test(
        arguments: [
            (#"{"<new>": 2}"#, #"{"<pad>": 2}"#, "tokenizer-differs"), (#"{"<new>": 2}"#, #"{"<new>": 2}"#, nil),
            (#"{"<pad>": 2}"#, "{}", nil), (#"{"<extra_id_0>": 9}"#, "{}", nil),
        ] as [(String, String, String?)])
    func comparesTokensBesideASlowVocabulary(_ own: String, _ base: String, _ expected: String?) async throws {
        let settings = #"{"pad_token": "<pad>"}"#
        let found = try await scan(
            base: ["vocab.txt": "a\nb\n", "added_tokens.json": base, "tokenizer_config.json": settings],
            task: ["vocab.txt": "a\nb\n", "added_tokens.json": own, "tokenizer_config.json": settings])
        #expect(found.code == expected, "\(found)")
    }

    @Test(arguments: [
        ("2_Custom/weights.npy", "2_Custom"), ("2_Dense/other.safetensors", "2_Dense"),
        ("pooling/config.json", "pooling"),
    ]) func refusesModulesThatAReleaseWouldLack(_ file: String, _ path: String) async throws {
        let modules = #"[{"path": "\#(path)", "type": "sentence_transformers.models.X"}]"#
        let found = try await scan(base: ["modules.json": modules, file: "{}"])
        #expect(found.base == (file.hasSuffix(".npy") ? "pickle" : "unsupported-module"), "\(found)")
        let absent = try await scan(base: [
            "modules.json": #"[{"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]"#
        ])
        #expect(absent.base == nil)
    }

    @Test(arguments: [
        ("tokenizer.json", pointer), ("vocab.txt", pointer), ("spm.model", pointer), ("chat_template.jinja", pointer),
        ("additional_chat_templates/tool.jinja", pointer), ("tokenizer.json", "<!DOCTYPE html><html>"),
        ("tokenizer.json", "{"),
        ("config.json", pointer), ("tokenizer.model", "\u{0A}\u{7F}a\u{0}"), ("vocab.json", ""), ("LICENSE", pointer),
        ("vocab.txt", "a\u{0}b"), ("1_Pooling/config.json", pointer), ("graph.pt2", pointer),
        ("tokenizer.4.0.0.json", pointer), ("tokenizer.json", "Entry not found"),
        ("vocab.txt", "Entry not found"), ("merges.txt", "404: Not Found"), ("spm.model", "Repository Not Found"),
        ("vocab.txt", "Invalid username or password."), ("chat_template.jinja", "Access to model a/b is restricted."),
        ("config.json", "{\n \"error\": \"Entry not found\"}"), ("tokenizer.json", #"{"error":"Not Found"}"#),
        ("tokenizer.json", "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"),
        ("merges.txt", "/annex/objects/SHA256E-s9084--aa.txt\n"), ("tokenizer.json", "{}"),
        ("tokenizer.json", #"{"bos_token": "<s>"}"#), ("special_tokens_map.json", "[]"),
        ("preprocessor_config.json", "\"\""), ("tokenizer_config.json", "null"), ("vocab.json", "[1]"),
        ("vocab.txt", "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> main\n"),
        ("chat_template.jinja", "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n"),
    ]) func refusesFilesThatAreNotWhatTheyClaim(_ name: String, _ text: String) async throws {
        let found = try await scan(base: [name: text])
        #expect(found.base == "not-what-it-claims", "\(found)")
        if text == Self.pointer { #expect(found.baseMessage?.contains("git lfs pull") == true) }
    }

    @Test(arguments: [
        ("task.yaml", pointer), ("task.yaml", "<html>"), ("adapter_config.json", pointer),
        ("adapter_config.json", "Entry not found"), ("config.json", pointer), ("tokenizer.json", pointer),
        ("generation_config.json", "{\"error\": \"no\"}"), ("1_Pooling/config.json", pointer),
    ]) func refusesFilesOfATaskThatAreNotWhatTheyClaim(_ name: String, _ text: String) async throws {
        let registry = try TestRegistry()
        try registry.writeBase()
        for other in ["tokenizer.json", "generation_config.json", "1_Pooling/config.json"] {
            try registry.write("base/" + other, Array(#"{"model": {}}"#.utf8))
        }
        try registry.writeTask()
        if name.hasPrefix("adapter") {
            try registry.remove("tasks/t/model.safetensors")
            try registry.write("tasks/t/adapter_model.safetensors", TestTensor.file([]))
        }
        try registry.write("tasks/t/" + name, Array(text.utf8))
        let refusal = try await registry.settledScan().tasks["t"]?.refusal
        #expect(refusal?.code == "not-what-it-claims" && refusal?.message.contains(name) == true, "\(refusal as Any)")
    }

    @Test(arguments: [
        ("vocab.txt", "a\n=======\n<<<<<<<\n"), ("merges.txt", "<<<< <<<\n= =\n"),
        ("chat_template.jinja", "{{ not found }}"), ("modules.json", "[]"),
    ]) func takesTextsThatOnlyLookLikeIt(_ name: String, _ text: String) async throws {
        #expect(try await scan(base: [name: text]).base == nil)
    }

    @Test(arguments: [
        (#"{"quantization_config": {"quant_method": "fp8"}}"#, "`quantization_config` (fp8)"),
        (#"{"text_config": {"quantization_config": {"bits": 4}}}"#, "`text_config.quantization_config`"),
        (
            #"{"thinker_config": {"text_config": {"quantization": {"bits": 4}}}}"#,
            "`thinker_config.text_config.quantization`"
        ),
        (#"{"compression_config": {"format": "pack"}}"#, "`compression_config`"), (#"{"load_in_4bit": true}"#, "4bit"),
        (#"{"_load_in_8bit": true}"#, "8bit"), (#"{"quantization_bit": 4}"#, "`quantization_bit`"),
        (#"{"torch_dtype": "int8"}"#, "`torch_dtype` \"int8\""), (#"{"dtype": "float8_e4m3fn"}"#, "float8_e4m3fn"),
        (#"{"quant_method": "awq"}"#, "`quant_method`"),
    ]) func refusesABaseThatClaimsToBeQuantised(_ text: String, _ named: String) async throws {
        let found = try await scan(base: ["config.json": text])
        #expect(found.base == "not-what-it-claims" && found.baseMessage?.contains(named) == true, "\(found)")
    }

    @Test(arguments: [
        #"{"quantization_config": null}"#, #"{"load_in_4bit": false, "quantization_bit": 0}"#,
        #"{"torch_dtype": "bfloat16", "dtype": "float32"}"#, #"{"quantization": {}}"#,
    ]) func takesAnOptionThatIsOff(_ text: String) async throws {
        #expect(try await scan(base: ["config.json": text]).base == nil)
    }

    @Test func passesOnWhatTheLibrariesLoad() async throws {
        let names = [
            "spm.model", "sentencepiece.bpe.model", "dict.txt", "additional_chat_templates/tool_use.jinja",
            "modules.json",
            "tiktoken.model", "tokenizer.model.v3", "tokenizer.model.v7m1",
            "1_Pooling/config.json", "2_Dense/config.json", "config_sentence_transformers.json", "vocab-src.json",
        ]
        let texts = Dictionary(uniqueKeysWithValues: names.map { ($0, $0.hasSuffix(".json") ? "{}" : "a") })
        let found = try await scan(
            base: texts.merging(["onnx/model.onnx": "x", "notes.csv": "x", "README.md": "x"]) { $1 })
        #expect(Set(names).isSubset(of: found.files), "\(found)")
        #expect(found.baseWarnings.count == 1)
        let warning = found.baseWarnings.first ?? ""
        #expect(warning.contains("`notes.csv`") && warning.contains("`onnx/`") && !warning.contains("README"))
    }

    @Test func refusesModulesThatAreCode() async throws {
        let found = try await scan(base: ["modules.json": #"[{"path": "", "type": "my.Module"}]"#])
        #expect(found.base == "code")
        let fine = try await scan(base: [
            "modules.json": #"[{"path": "", "type": "sentence_transformers.models.Transformer"}]"#
        ])
        #expect(fine.base == nil)
        let pickle = try await scan(base: ["2_Dense/pytorch_model.bin": "x"])
        #expect(pickle.base == "pickle")
    }

    @Test func refusesAnotherCaseOfSentenceTransformers() async throws {
        let name = "sentence_bert_config.json"
        for (own, code) in [("true", "tokenizer-differs"), ("false", nil)] as [(String, String?)] {
            let found = try await scan(
                base: [name: #"{"max_seq_length": 128, "do_lower_case": false}"#],
                task: [name: "{\"max_seq_length\": 256, \"do_lower_case\": \(own)}"])
            #expect(found.code == code)
        }
    }

    @Test func refusesOtherModulesOfATask() async throws {
        let cls = #"{"pooling_mode_cls_token": true}"#
        let same = try await scan(base: ["1_Pooling/config.json": cls], task: ["1_Pooling/config.json": cls])
        #expect(same.warnings == [])
        let other = try await scan(base: ["1_Pooling/config.json": cls], task: ["1_Pooling/config.json": "{}"])
        #expect(other.code == "configuration-differs" && other.message?.contains("1_Pooling") == true)
    }

    @Test func refusesOtherWeightsInASubfolder() async throws {
        for (values, code) in [([1, 2] as [Float], nil), ([1, 3], "extra-parameter")] as [([Float], String?)] {
            let registry = try TestRegistry()
            try registry.writeBase()
            try registry.writeTask()
            try registry.write(
                "base/2_Dense/model.safetensors", TestTensor.file([TestTensor("linear.weight", [2], [1, 2])]))
            try registry.write(
                "tasks/t/2_Dense/model.safetensors", TestTensor.file([TestTensor("linear.weight", [2], values)]))
            let task = try await registry.settledScan().tasks["t"]
            #expect(task?.refusal?.code == code)
        }
    }
}
