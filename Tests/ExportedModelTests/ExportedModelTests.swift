import ExportedGraph
import ExportedModel
import Foundation
import Testing
import Torch

@Suite struct ExportedModelTests {
    @Test func tiedParametersAreAliasesWithoutTheirWeights() throws {
        let signature = try Fixture("t5").graph.signature
        let shared = try #require(signature.parameters.first { $0.name == "shared.weight" })
        #expect(shared.aliases == ["decoder.embed_tokens.weight", "encoder.embed_tokens.weight", "lm_head.weight"])
        let head = try Fixture("llama").graph.signature.parameters.first { $0.name == "lm_head.weight" }
        #expect(head?.aliases == ["model.embed_tokens.weight"])
    }

    @Test func theSignatureNamesInputsWithTheirFreeAxes() throws {
        let signature = try Fixture("t5").graph.signature
        #expect(signature.inputs.map(\.name) == ["input_ids", "attention_mask", "decoder_input_ids"])
        #expect(signature.inputs.allSatisfy { $0.dtype == "int64" && $0.shape == [nil, nil] })
        let pixels = try #require(try Fixture("vit").graph.signature.inputs.first)
        #expect(pixels.shape == [nil, 3, 12, 12])
    }

    @Test func theArchiveHasBuffersAndNoWeights() throws {
        let fixture = try Fixture("assorted")
        let model = try ExportedModel(fixture.graph)
        #expect(try model.ownWeight("weight") == nil)
        let mean = try #require(try model.ownWeight("norm.running_mean"))
        #expect(mean.shape == [8])
        #expect(try mean.floats().contains { $0 != 0 })
    }

    @Test func narrowInputsAreWidened() throws {
        let fixture = try Fixture("bert")
        let model = try ExportedModel(fixture.graph)
        let inputs = fixture.inputs("same")
        let expected = try model.forward(inputs: inputs, parameters: fixture.weights).floats()
        for type in [DType.int32, .uint8, .int16] {
            let narrow = try inputs.mapValues { try $0.to(type) }
            #expect(try model.forward(inputs: narrow, parameters: fixture.weights).floats() == expected)
        }
        #expect(throws: ExportedModelError.dtype(name: "input_ids", given: "float32", expected: "int64")) {
            try model.forward(inputs: inputs.mapValues { try $0.to(.float32) }, parameters: fixture.weights)
        }
    }

    @Test func halfPrecisionPixelsAreConverted() throws {
        let fixture = try Fixture("vit")
        let model = try ExportedModel(fixture.graph)
        let half = try fixture.inputs("same").mapValues { try $0.to(.float16) }
        let logits = try model.forward(inputs: half, parameters: fixture.weights)
        #expect(logits.dtype == .float32)
        let widened = try half.mapValues { try $0.to(.float32) }
        #expect(try logits.floats() == model.forward(inputs: widened, parameters: fixture.weights).floats())
        let exact = try fixture.tensor("same", "logits").floats()
        for (rough, exact) in zip(try logits.floats(), exact) { #expect(abs(rough - exact) < 0.01) }
    }

    @Test func autocastComputesInBfloat16WithGradientsOfTheParametersType() throws {
        let fixture = try Fixture("bert")
        let model = try ExportedModel(fixture.graph)
        let tape = GradientTape()
        let names = fixture.weights.keys.sorted()
        var parameters: [String: Tensor] = [:]
        for (index, name) in names.enumerated() {
            parameters[name] = try tape.watch(#require(fixture.weights[name]), index: index)
        }
        let inputs = fixture.inputs("same")
        let logits = try TorchRuntime.withAutocast(true) { try model.forward(inputs: inputs, parameters: parameters) }
        #expect(logits.dtype == .bfloat16)
        let exact = try fixture.tensor("same", "logits").floats()
        for (rough, exact) in zip(try logits.floats(), exact) { #expect(abs(rough - exact) < 0.1) }
        let loss = try logits.to(.float32).crossEntropy(fixture.tensor("same", "labels"))
        var count = 0
        try tape.backward(loss) { _, gradient in
            #expect(gradient.dtype == .float32)
            count += 1
        }
        #expect(count == fixture.gradients("same").count)
    }

    @Test func aHeadMayHaveAnotherNumberOfClasses() throws {
        let fixture = try Fixture("vit")
        var parameters = fixture.weights
        parameters["classifier.weight"] = try .zeros([43, 16])
        parameters["classifier.bias"] = try .zeros([43])
        let logits = try ExportedModel(fixture.graph).forward(
            inputs: fixture.inputs("other"), parameters: parameters)
        #expect(logits.shape == [5, 43])
    }

    @Test func whatIsMissingIsNamed() throws {
        let fixture = try Fixture("bert")
        let model = try ExportedModel(fixture.graph)
        var parameters = fixture.weights
        parameters["classifier.bias"] = nil
        #expect(throws: ExportedModelError.missingParameter("classifier.bias")) {
            try model.forward(inputs: fixture.inputs("same"), parameters: parameters)
        }
        var inputs = fixture.inputs("same")
        inputs["attention_mask"] = nil
        #expect(throws: ExportedModelError.missingInput("attention_mask")) {
            try model.forward(inputs: inputs, parameters: fixture.weights)
        }
    }

    @Test func anInputOfAnotherShapeIsRefused() throws {
        let fixture = try Fixture("vit")
        let model = try ExportedModel(fixture.graph)
        let pixels = try Tensor.zeros([2, 3, 28, 28])
        #expect(
            throws: ExportedModelError.shape(
                input: "pixel_values", given: [2, 3, 28, 28], expected: [nil, 3, 12, 12])
        ) { try model.forward(inputs: ["pixel_values": pixels], parameters: fixture.weights) }
    }

    @Test func anIndexBeyondTheVocabularyIsAnErrorThatNamesTheNode() throws {
        let fixture = try Fixture("bert")
        let model = try ExportedModel(fixture.graph)
        var inputs = fixture.inputs("same")
        let tokens = try #require(inputs["input_ids"])
        inputs["input_ids"] = try tokens.multiplied(by: 0).adding(tokens).adding(tokens, alpha: 1000).to(.int64)
        let error = #expect(throws: TorchError.self) {
            try model.forward(inputs: inputs, parameters: fixture.weights)
        }
        #expect(error?.message.contains("torch.ops.aten.embedding.default of node 'embedding'") == true)
    }

    @Test func anUnsupportedOperatorIsNamedWithItsNodeBeforeAnythingRuns() throws {
        let path = try altered("vit") {
            $0.replacing("torch.ops.aten.conv2d.default", with: "torch.ops.aten.unknwn.default")
        }
        defer { try? FileManager.default.removeItem(atPath: path) }
        let graph = try ExportedGraph(archive: path)
        #expect(
            throws: ExportedModelError.unsupported(operator: "torch.ops.aten.unknwn.default", node: "conv2d")
        ) { try ExportedModel(graph) }
    }

    @Test(arguments: [
        "torch.ops.aten.from_file.default", "torch.ops.aten.save.default", "torch.ops.aten.set_.source_Tensor",
        "torch.ops.c10d.send.default", "torch.ops.profiler._record_function_enter.default",
        "torch.ops.supermerge.py_add.default",
    ]) func anOperatorThatDoesMoreThanComputeIsNeverRun(target: String) throws {
        let path = try altered("vit") { text in
            // The same length: blanks in the place of a field that says nothing.
            let before = #""target":"torch.ops.aten.conv2d.default""#
            let field = #""is_hop_single_tensor_return":null,"#
            guard let node = text.range(of: before),
                let spare = text.range(of: field, range: node.upperBound..<text.endIndex)
            else { return text }
            let after = "\"target\":\"\(target)\""
            let blanks = String(repeating: " ", count: before.count + field.count - after.count)
            var changed = text
            changed.replaceSubrange(spare, with: blanks)
            changed.replaceSubrange(node, with: after)
            return changed
        }
        defer { try? FileManager.default.removeItem(atPath: path) }
        let graph = try ExportedGraph(archive: path)
        #expect(throws: ExportedModelError.forbidden(operator: target, node: "conv2d")) { try ExportedModel(graph) }
    }

    @Test(arguments: [
        (
            ExportedModelError.forbidden(operator: "torch.ops.transformers.grouped_mm_fallback.default", node: "n"),
            "experts_implementation"
        ),
        (.forbidden(operator: "torch.ops.aten.from_file.default", node: "n"), "a source that you trust"),
        (.unsupported(operator: "torch.ops.aten.to.dtype_layout in complex64", node: "n"), "pairs of real numbers"),
        (.unsupported(operator: "torch.ops.aten.of_tomorrow.default", node: "n"), "LIBTORCH_ROOT"),
    ]) func whatCantBeRunSaysWhatToDo(_ error: ExportedModelError, _ advice: String) {
        #expect("\(error)".contains(advice), "\(error)")
    }

    @Test func aModelInTrainingModeIsRefused() throws {
        let path = try altered("bert") {
            $0.replacing(
                #""name":"train","arg":{"as_bool":false}"#, with: #""name":"train","arg":{"as_bool":true} "#)
        }
        defer { try? FileManager.default.removeItem(atPath: path) }
        let graph = try ExportedGraph(archive: path)
        let error = #expect(throws: ExportedModelError.self) { try ExportedModel(graph) }
        #expect(error == .unsupported(operator: "torch.ops.aten.dropout.default", node: "dropout"))
    }

    @Test func aNodeThatUsesWhatNothingDefinesIsRefused() throws {
        let path = try altered("vit") {
            $0.replacing(
                #""as_tensor":{"name":"pixel_values"}},"kind""#, with: #""as_tensor":{"name":"pixel_valuez"}},"kind""#)
        }
        defer { try? FileManager.default.removeItem(atPath: path) }
        let graph = try ExportedGraph(archive: path)
        let error = #expect(throws: ExportedModelError.self) { try ExportedModel(graph) }
        #expect(error?.description.contains("pixel_valuez") == true)
    }

    /// A fixture's archive with its graph changed to text of the same length.
    private func altered(_ name: String, _ change: (String) -> String) throws -> String {
        let text = try String(contentsOfFile: Fixture.path(name, "graph.pt2"), encoding: .isoLatin1)
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).pt2").path
        let changed = change(text)
        try #require(changed != text)
        try changed.write(toFile: path, atomically: false, encoding: .isoLatin1)
        return path
    }
}
