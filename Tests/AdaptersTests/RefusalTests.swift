import Files
import Foundation
import Safetensors
import Testing

@testable import Adapters

/// Everything that PEFT can write and that is no plain task vector, and what a hostile drop may hold.
struct RefusalTests {
    static let root = Bundle.module.bundlePath + "/Fixtures"

    /// What opening the adapter says; nil where it is taken.
    private func fault(_ directory: String, base: String = root + "/base", tied: [[String]] = []) throws -> String? {
        let base = try Checkpoint(directory: base)
        do {
            _ = try Adapter(directory: directory, base: base) { name in tied.first { $0.contains(name) } ?? [name] }
            return nil
        } catch {
            return error.description
        }
    }

    @Test(arguments: [
        ("dora", "`use_dora`"), ("pissa", "\"pissa\""), ("olora", "\"olora\""), ("loha", "LOHA"),
        ("adalora", "ADALORA"),
        ("corda", "path_initial_model_for_weight_conversion"),
        ("lora-ga", "path_initial_model_for_weight_conversion"), ("vera", "VERA"),
        ("tokens", "`trainable_token_indices`"),
    ]) func whatPEFTWritesIsRefusedByName(_ name: String, _ key: String) throws {
        let message = try #require(try fault("\(Self.root)/\(name)"))
        #expect(message.contains(key), "\(message)")
        #expect(!message.contains("\n"))
    }

    @Test(arguments: [([0, 6], [37, 4]), ([4, 6], [0]), ([0], [0])]) func emptyFactors(_ a: [Int], _ b: [Int]) throws {
        let message = try Folder.with([("first.lora_A.weight", a), ("first.lora_B.weight", b)]) { try fault($0) }
        #expect(message?.contains("ZeRO-3") == true && message?.contains("lora_") == true, "\(message ?? "")")
    }

    @Test func squareMatrixOfUnknownOrientation() throws {
        let message = try #require(
            try fault(Self.root + "/mixed-orientation", base: Self.root + "/mixed-base"))
        #expect(message.contains("`fan_in_fan_out`") && message.contains("square"), "\(message)")
    }

    static let keys: [(String, String)] = [
        ("\"layer_replication\": [[0, 2]]", "`layer_replication`"), ("\"use_dora\": true", "`use_dora`"),
        ("\"init_lora_weights\": \"pissa_niter_4\"", "`init_lora_weights`"),
        ("\"init_lora_weights\": \"loftq\"", "`init_lora_weights`"),
        ("\"init_lora_weights\": 3", "`init_lora_weights`"),
        ("\"loftq_config\": {\"loftq_bits\": 4}", "`loftq_config`"),
        ("\"target_parameters\": [\"w\"]", "`target_parameters`"),
        ("\"trainable_token_indices\": [1]", "`trainable_token_indices`"),
        ("\"alora_invocation_tokens\": [1]", "`alora_invocation_tokens`"), ("\"use_qalora\": true", "`use_qalora`"),
        ("\"a_key_of_tomorrow\": 1", "`a_key_of_tomorrow`"),
        ("\"peft_type\": \"PROMPT_TUNING\"", "PROMPT_TUNING"), ("\"peft_type\": null", "`peft_type`"),
        ("\"alpha_pattern\": {\"(?!layer).*q\": 1}", "`alpha_pattern`"),
        ("\"r\": 0", "`r`"), ("\"lora_alpha\": 8, \"lora_alpha\": Infinity", "`lora_alpha`"),
        ("\"rank_pattern\": {\"first\": NaN}", "`rank_pattern.first`"), ("\"x\": {\"a\": [1,]}", "JSON"),
        ("\"r\": \"four\"", "`r`"), ("\"lora_alpha\": 1e400", "`lora_alpha`"),
        ("\"use_rslora\": \"yes\"", "`use_rslora`"),
        ("\"r\": 5", "rank"),
    ]

    @Test(arguments: keys) func keyThatChangesTheArithmetic(_ setting: String, _ named: String) throws {
        try Folder.with(settings: setting) { directory in
            let message = try #require(try fault(directory), "\(setting) was taken")
            #expect(message.contains(named), "\(message)")
        }
    }

    @Test(arguments: [
        "\"a_key_of_tomorrow\": false", "\"corda_config\": {}",
        "\"corda_config\": {\"corda_method\": \"ipm\"}, \"init_lora_weights\": true",
        "\"lora_dropout\": 0.5",
        "\"init_lora_weights\": \"gaussian\"",
        "\"base_model_name_or_path\": \"../../etc/passwd\"", "\"target_modules\": \".*(first|square)\"",
        "\"ensure_weight_tying\": true", "\"init_lora_weights\": \"mica\"", "\"alpha_pattern\": {\"first\": 3}",
        "\"alpha_pattern\": {\"f[a-z]+t|layer.*\": 3}",
        "\"rank_pattern\": {\"^(.*)$\": 4}",
        "\"r\": 7, \"rank_pattern\": {\"first\": 4}",
    ]) func keyThatDoesNot(_ setting: String) throws {
        try Folder.with(settings: setting) { directory in
            let message = try fault(directory)
            #expect(message == nil)
        }
    }

    @Test(arguments: ["", "[]", "{", "null", "\u{0}", "{\"peft_type\": \"LORA\", \"r\": 1e99}"])
    func configurationThatIsNone(_ text: String) throws {
        try Folder.with(configuration: text) { directory in
            let message = try fault(directory)
            #expect(message != nil)
        }
    }

    @Test func configurationThatIsEndless() throws {
        try Folder.with(configuration: String(repeating: "[", count: 2 << 20)) { directory in
            let message = try fault(directory)
            #expect(message != nil)
        }
    }

    @Test func configurationThatIsDeep() throws {
        try Folder.with(configuration: String(repeating: "[", count: 100_000)) { directory in
            let message = try fault(directory)
            #expect(message != nil)
        }
    }

    @Test(
        arguments: [
            ([("first.lora_A.weight", [4, 6])], "lora_B"), ([("first.lora_B.weight", [37, 4])], "lora_A"),
            ([("first.lora_A.weight", [4, 7]), ("first.lora_B.weight", [37, 4])], "[37, 7]"),
            ([("first.lora_A.weight", [4, 6]), ("first.lora_B.weight", [37, 3])], "multiply"),
            ([("first.lora_A.weight", [4]), ("first.lora_B.weight", [37])], "multiply"),
            ([("first.lora_A.weight", []), ("first.lora_B.weight", [])], "multiply"),
            ([("first.lora_A.weight", [0, 6]), ("first.lora_B.weight", [37, 0])], "is empty"),
            ([("absent.lora_A.weight", [4, 6]), ("absent.lora_B.weight", [37, 4])], "absent"),
            ([("norm.lora_A.weight", [4, 6]), ("norm.lora_B.weight", [37, 4])], "norm"),
            ([("first.lora_E", [4, 1])], "lora_E"), ([("first.lora_magnitude_vector", [37])], "lora_magnitude_vector"),
            ([("first.lora_A.default.weight", [4, 6])], "lora_B"),
            (
                [("first.lora_A.one.weight", [4, 6]), ("first.lora_B.two.weight", [37, 4])],
                "holds 2 adapters: `one`, `two`"
            ),
            ([("prompt_embeddings", [4, 6])], "prompt_embeddings"),
            ([("first.lora_down.weight", [4, 6]), ("first.lora_up.weight", [37, 4])], "kohya"),
            ([("first.lora.down.weight", [4, 6]), ("first.lora.up.weight", [37, 4])], "kohya"),
            ([("embed.weight", [13, 6])], "13 rows"), ([("unheard.weight", [3, 3])], "changes no tensor"),
            ([("embed.lora_embedding_A", [4, 13]), ("embed.lora_embedding_B", [6, 4])], "13 rows"),
            (
                [("first.lora_A.weight", [4, 6]), ("first.lora_B.weight", [37, 4]), ("first.lora_B.bias", [36])], "bias"
            ),
            ([("first.ia3_l", [36, 1])], "fits neither"), ([("first.ia3_l", [37, 6])], "fits neither"),
            ([("norm.ia3_l", [10, 1])], "fits neither"),
        ] as [([(String, [Int])], String)])
    func tensorsThatDoNotFit(_ tensors: [(String, [Int])], _ named: String) throws {
        try Folder.with(tensors) { directory in
            let message = try #require(try fault(directory))
            #expect(message.contains(named), "\(message)")
        }
    }

    @Test(
        arguments: [
            (Folder.plain, "{\"peft_type\": \"IA3\"}"),
            ([("first.ia3_l", [37, 1])], "{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 8}"),
            (Folder.plain + [("first.ia3_l", [37, 1])], "{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 8}"),
        ] as [(Folder.Tensors, String)])
    func tensorsOfAnotherKindThanTheConfigurationSays(_ tensors: Folder.Tensors, _ configuration: String) throws {
        try Folder.with(tensors, configuration: configuration) { directory in
            let message = try #require(try fault(directory))
            #expect(message.contains("`peft_type`"), "\(message)")
        }
    }

    @Test func integersAreNoFactors() throws {
        try Folder.with([("first.lora_A.weight", [4, 6]), ("first.lora_B.weight", [37, 4])], dtype: .i32) { directory in
            let message = try fault(directory)
            #expect(message?.contains("I32") == true, "\(message ?? "")")
        }
    }

    @Test func tiedTensorIsNotUntied() throws {
        try Folder.with([("first.lora_A.weight", [4, 6]), ("first.lora_B.weight", [37, 4])]) { directory in
            let message = try fault(directory, tied: [["first.weight", "last.weight"]])
            #expect(message?.contains("last.weight") == true, "\(message ?? "")")
        }
    }

    @Test func fullWeightsBesideIt() throws {
        try Folder.with([("first.lora_A.weight", [4, 6]), ("first.lora_B.weight", [37, 4])]) { directory in
            try FileManager.default.copyItem(
                atPath: Self.root + "/base/model.safetensors", toPath: directory + "/model.safetensors")
            let message = try fault(directory)
            #expect(message?.contains("both") == true, "\(message ?? "")")
        }
    }

    @Test(arguments: Adapter.fileNames) func halfOfIt(_ name: String) throws {
        try Folder.with([("first.lora_A.weight", [4, 6]), ("first.lora_B.weight", [37, 4])]) { directory in
            try FileManager.default.removeItem(atPath: "\(directory)/\(name)")
            let message = try fault(directory)
            #expect(message?.contains(name) == true, "\(message ?? "")")
        }
    }

    @Test(arguments: ["model.", "module.", "base_model.model.", "net.", "module._orig_mod.", "_orig_mod.module.net."])
    func prefixesOfWrappers(_ prefix: String) throws {
        let factors = [("first.lora_A.weight", [4, 6]), ("first.lora_B.weight", [37, 4])].map { (prefix + $0.0, $0.1) }
        try Folder.with(factors + [(prefix + "classifier.weight", [3, 10])]) { directory in
            let adapter = try Adapter(directory: directory, base: Checkpoint(directory: Self.root + "/base"))
            #expect(Array(adapter.updates.keys) == ["first.weight"])
            #expect(adapter.checkpoint.names == ["classifier.weight"])
        }
    }
}
