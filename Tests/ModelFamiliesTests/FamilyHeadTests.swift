import Foundation
import ModelFamilies
import Testing

/// The head of a graph whose base leaves it to the tasks.
@Suite struct FamilyHeadTests {
    private static func configuration(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test(
        arguments: [
            (#"{"architectures": ["BertForTokenClassification"]}"#, FamilyHead.tokens),
            (#"{"architectures": ["LlamaForSequenceClassification"]}"#, .sequence),
            (#"{"architectures": ["RobertaForMaskedLM"]}"#, .maskedLanguage),
            (#"{"architectures": ["CLIPModel"]}"#, .captions), (#"{"architectures": ["SiglipModel"]}"#, .pairs),
            (#"{"architectures": ["CLIPVisionModel"]}"#, nil),
            (#"{"peft_type": "LORA", "task_type": "TOKEN_CLS"}"#, .tokens),
            (#"{"peft_type": "LORA", "task_type": "CAUSAL_LM"}"#, nil), (#"{"architectures": ["BertModel"]}"#, nil),
            ("not JSON", nil),
        ] as [(String, FamilyHead?)]) func isReadFromWhatTheTaskSays(_ text: String, _ expected: FamilyHead?)
    {
        #expect(FamilyHead(configuration: Self.configuration(text)) == expected)
    }

    @Test(
        arguments: [
            (#"{"model_type": "bert", "architectures": ["BertForMaskedLM"]}"#, FamilyHead.tokens, FamilyHead.tokens),
            (#"{"model_type": "bert", "architectures": ["BertForMaskedLM"]}"#, .sequence, nil),
            (#"{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}"#, .sequence, .sequence),
            (#"{"model_type": "bert", "architectures": ["BertForSequenceClassification"]}"#, .tokens, nil),
            (#"{"model_type": "bert"}"#, .answer, .answer),
        ] as [(String, FamilyHead, FamilyHead?)])
    func isTakenWhereTheBaseHasTheHeadOfItsPretraining(_ base: String, _ head: FamilyHead, _ expected: FamilyHead?) {
        #expect(head.applied(to: Self.configuration(base)) == expected)
    }

    @Test func clipReadsTextsForTasksThatDo() throws {
        let directory = FamilyFixture.path("clip-whole")
        let classes = try BaseGraph.open(directory: directory).signature
        #expect(classes.inputs.map(\.name) == ["pixel_values"])
        let captions = try BaseGraph.open(directory: directory, head: .captions).signature
        #expect(captions.inputs.map(\.name) == ["pixel_values", "input_ids", "attention_mask"])
        #expect(captions.output == [nil, nil])
    }

    /// SigLIP is trained without a mask, on texts that are padded to one length.
    @Test func siglipReadsTextsWithoutAMask() throws {
        let directory = FamilyFixture.path("siglip-pairs")
        #expect(try BaseGraph.open(directory: directory).signature.inputs.map(\.name) == ["pixel_values"])
        let pairs = try BaseGraph.open(directory: directory, head: .pairs).signature
        #expect(pairs.inputs.map(\.name) == ["pixel_values", "input_ids"])
        #expect(pairs.output == [nil, nil])
    }

    @Test func aPretrainedBaseGetsTheHeadOfItsTasks() throws {
        let base = try AlteredBase("bert-masked", ["architectures": ["BertForMaskedLM"]])
        let shapes: [(FamilyHead?, Int)] = [(nil, 2), (.sequence, 2), (.tokens, 3), (.answer, 3), (.choices, 2)]
        for (head, axes) in shapes {
            let signature = try BaseGraph.open(directory: base.directory, head: head).signature
            #expect(signature.output.count == axes, "\(head?.rawValue ?? "none")")
        }
        let masked = try BaseGraph.open(directory: base.directory, head: .maskedLanguage).signature
        let embedding = try #require(masked.parameters.first { $0.name.hasSuffix("word_embeddings.weight") })
        #expect(embedding.aliases == ["cls.predictions.decoder.weight"])
        #expect(masked.output == [nil, nil, embedding.shape[0]])
    }
}
