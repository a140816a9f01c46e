import ExportedGraph
import ExportedModel
import Foundation
import ModelFamilies
import Testing

/// Configurations as other versions of transformers write them: the same graph.
@Suite struct ConfigurationTests {
    /// Nodes and signature, which are all that a graph is.
    private func expectSame(_ name: String, _ keys: [String: Any?]) throws {
        let graph = try BaseGraph.open(directory: FamilyFixture.path(name))
        let base = try AlteredBase(name, keys)
        let other = try BaseGraph.open(directory: base.directory)
        #expect(other.body == graph.body)
        #expect(other.signature == graph.signature)
    }

    @Test func keysOfTransformers4SayTheSame() throws {
        try expectSame("llama-untied", ["rope_parameters": nil, "rope_theta": 500, "rope_scaling": NSNull()])
        try expectSame("t5-untied", ["scale_decoder_outputs": nil, "tie_word_embeddings": false])
        try expectSame("t5-untied", ["dense_act_fn": nil, "is_gated_act": nil])
        try expectSame("bert", ["position_embedding_type": "absolute", "pruned_heads": [String: Int]()])
        try expectSame("gpt2", ["n_ctx": 16, "task_specific_params": ["text-generation": ["do_sample": true]]])
        try expectSame("llama", ["rope_interleaved": false, "rope_scaling": ["type": "default"], "head_dim": NSNull()])
    }

    @Test func whatIsLeftOutHasTheDefaultOfTransformers() throws {
        try expectSame("bert", ["layer_norm_eps": nil, "type_vocab_size": nil, "pad_token_id": nil])
        try expectSame("roberta", ["pad_token_id": nil])
        try expectSame("gpt2", ["activation_function": nil, "n_inner": nil, "scale_attn_weights": nil])
        try expectSame("t5", ["layer_norm_epsilon": nil, "num_decoder_layers": nil, "feed_forward_proj": nil])
        try expectSame("vit", ["hidden_act": nil, "num_channels": nil, "qkv_bias": nil])
    }

    /// Python's json takes the last of a repeated key, and transformers writes infinities; both in text that
    /// JSONSerialization does not write.
    @Test func aTextMeansWhatPythonReadsInIt() throws {
        let graph = try BaseGraph.open(directory: FamilyFixture.path("bert"))
        let base = try AlteredBase("bert")
        let text = try String(contentsOfFile: base.directory + "/config.json", encoding: .utf8)
        let before =
            #"{"hidden_size": 7, "layer_norm_eps": Infinity, "hidden_act": "gelu_10", "unused": null, "unused": [],"#
        try base.write(Data((before + text.dropFirst()).utf8))
        let other = try BaseGraph.open(directory: base.directory)
        #expect(other.body == graph.body && other.signature == graph.signature)
    }

    @Test(arguments: [
        (#""num_hidden_layers": 2.0"#, "`num_hidden_layers` 2.0"), (#""layer_norm_eps": NaN"#, "`layer_norm_eps` NaN"),
        (#""time_step_limit": [0.0, Infinity]"#, "`time_step_limit`"),
        (#""hidden_size": 1e999"#, "`hidden_size` Infinity"),
    ]) func aValueThatPythonCantUseIsRefusedByName(_ setting: String, _ named: String) throws {
        let base = try AlteredBase("bert")
        let text = try String(contentsOfFile: base.directory + "/config.json", encoding: .utf8)
        let end = try #require(text.lastIndex(of: "}"))
        try base.write(Data((text[..<end] + ",\(setting)}").utf8))
        let error = #expect(throws: ModelFamilyError.self) { try BaseGraph.open(directory: base.directory) }
        #expect(error?.description.contains(named) == true, "\(String(describing: error))")
    }

    @Test func longerTextsAreSaidByTheOlderKeyToo() throws {
        let banded: [String: any Sendable] = [
            "type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
            "original_max_position_embeddings": 40,
        ]
        let keys: [String: Any?] = ["rope_parameters": nil, "rope_theta": 100, "rope_scaling": banded]
        try expectSame("llama-banded", keys)
        let short = banded.filter { $0.key != "original_max_position_embeddings" }
        try expectSame("llama-banded", keys.merging(["rope_scaling": short, "max_position_embeddings": 40]) { $1 })
        let linear: [String: any Sendable] = ["type": "linear", "factor": 4, "original_max_position_embeddings": 16]
        try expectSame("llama-linear", ["rope_parameters": nil, "rope_theta": 100, "rope_scaling": linear])
    }

    @Test func labelsAreCountedInTheHead() throws {
        let labels = ["0": "a", "1": "b", "2": "c", "3": "d"]
        let base = try AlteredBase("bert-tower", ["id2label": labels])
        let signature = try BaseGraph.open(directory: base.directory).signature
        #expect(signature.parameters.first { $0.name == "classifier.weight" }?.shape == [4, 8])
    }

    @Test(
        arguments: [
            ("bert-masked", "BertForTokenClassification", [nil, nil, 3]),
            ("bert-tower", "BertForTokenClassification", [nil, nil, 3]),
            ("roberta-tower", "XLMRobertaForTokenClassification", [nil, nil, 3]),
            ("llama", "LlamaForSequenceClassification", [nil, 2]), ("gpt2", "GPT2ForSequenceClassification", [nil, 2]),
        ] as [(String, String, [Int?])])
    func anotherHeadIsAskedForByItsArchitecture(name: String, architecture: String, output: [Int?]) throws {
        let base = try AlteredBase(name, ["architectures": [architecture], "pad_token_id": 1])
        let signature = try BaseGraph.open(directory: base.directory).signature
        #expect(signature.output == output)
        let own = try BaseGraph.open(directory: FamilyFixture.path(name)).signature.parameters.map(\.name)
        let heads = ["classifier.", "score.", "lm_head."]
        let head = signature.parameters.map(\.name).filter { name in heads.contains { name.hasPrefix($0) } }
        let expected = output.count == 3 ? ["classifier.weight", "classifier.bias"] : ["score.weight"]
        #expect(head == expected)
        let trunk = signature.parameters.map(\.name).filter { !head.contains($0) }
        #expect(Set(trunk).isSubset(of: own))
    }

    @Test func aPaddingTokenThatCountsFromTheEndIsThatRow() throws {
        try expectSame("llama-untied", ["pad_token_id": -21])
    }

    /// transformers keeps the name that a GGUF file gives its model.
    @Test func theNameInAGGUFFileSaysNothing() throws {
        try expectSame("llama-untied", ["_model_name_or_path": "A model's name"])
    }

    @Test func withoutWeightsTheNamesAreThoseOfSavedModels() throws {
        for name in ["bert", "vit", "clip", "t5", "llama", "gpt2", "roberta", "distilbert"] {
            let graph = try BaseGraph.open(directory: FamilyFixture.path(name))
            let base = try AlteredBase(name)
            try FileManager.default.removeItem(atPath: base.directory + "/model.safetensors")
            #expect(try BaseGraph.open(directory: base.directory).signature == graph.signature)
        }
    }

    @Test func theSignatureHasFreeAxesAndTiedNames() throws {
        let text = try BaseGraph.open(directory: FamilyFixture.path("t5")).signature
        #expect(text.inputs.map(\.name) == ["input_ids", "attention_mask", "decoder_input_ids"])
        #expect(text.inputs.allSatisfy { $0.dtype == "int64" && $0.shape == [nil, nil] })
        let shared = try #require(text.parameters.first { $0.name == "shared.weight" })
        #expect(shared.aliases == ["decoder.embed_tokens.weight", "encoder.embed_tokens.weight", "lm_head.weight"])
        let image = try BaseGraph.open(directory: FamilyFixture.path("vit-wide")).signature
        #expect(image.inputs.map(\.shape) == [[nil, 1, 8, 12]])
        let untied = try BaseGraph.open(directory: FamilyFixture.path("t5-untied")).signature
        #expect(untied.parameters.contains { $0.name == "lm_head.weight" && $0.aliases.isEmpty })
    }

    @Test func anArchiveGoesBeforeTheConfiguration() throws {
        let base = try AlteredBase("vit", ["model_type": "something else"])
        try FileManager.default.copyItem(
            atPath: ExportedFixture.path("vit", "graph.pt2"), toPath: base.directory + "/graph.pt2")
        #expect(try BaseGraph.open(directory: base.directory).isArchived)
    }
}
