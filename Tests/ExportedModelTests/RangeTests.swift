import ExportedGraph
import ExportedModel
import Testing
import Torch

/// Runs of a graph in ranges of its instructions.
@Suite struct RangeTests {
    @Test(arguments: Fixture.names) func steppingGivesTheBytesOfTheWholeRun(name: String) throws {
        let fixture = try Fixture(name)
        let model = try ExportedModel(fixture.graph)
        let inputs = fixture.inputs("same")
        let expected = try model.forward(inputs: inputs, parameters: fixture.weights).floats()
        let cuts = model.instructions.indices.filter(model.isCut) + [model.instructions.count]
        #expect(cuts.count > model.instructions.count / 2)
        let values = try model.start(inputs)
        for (start, end) in zip(cuts, cuts.dropFirst()) {
            try model.fill(values, for: start..<end, fixture.weights)
            try values.run(start..<end)
        }
        #expect(try model.output(of: values).floats() == expected)
    }

    @Test(arguments: Fixture.names) func liveSlotsAndInputsSufficeToGoOn(name: String) throws {
        let fixture = try Fixture(name)
        let model = try ExportedModel(fixture.graph)
        let inputs = fixture.inputs("same")
        let expected = try model.forward(inputs: inputs, parameters: fixture.weights).floats()
        let count = model.instructions.count
        var values = try model.start(inputs)
        var position = 0
        for end in model.instructions.indices.filter({ $0 % 7 == 0 && model.isCut(at: $0) }) + [count] {
            try model.fill(values, for: position..<end, fixture.weights)
            try values.run(position..<end)
            let next = try model.start(inputs)
            for slot in model.liveSlots(at: end) { try next.copy(slot, from: values) }
            (values, position) = (next, end)
        }
        #expect(try model.output(of: values).floats() == expected)
    }

    @Test func aSlotCanBeReadAndReplacedBetweenRanges() throws {
        let fixture = try Fixture("bert")
        let model = try ExportedModel(fixture.graph)
        let inputs = fixture.inputs("same")
        let index = try #require(
            model.instructions.firstIndex { $0.operatorName == "aten::linear" && model.isCut(at: 0) })
        #expect(model.parameters(of: index).count == 2)
        guard case .slot(let input)? = model.instructions[index].argument("input") else {
            Issue.record("the linear layer has no input")
            return
        }
        #expect(model.dependsOnParameters(input))
        #expect(model.parameterName(at: input) == nil)
        let expected = try model.forward(inputs: inputs, parameters: fixture.weights).floats()
        let logits = try [1.0, 3.0].map { factor in
            let values = try model.start(inputs)
            try model.fill(values, for: model.instructions.indices, fixture.weights)
            try values.run(0..<index)
            #expect(values.isTensor(at: input))
            try values.set(values.tensor(at: input).multiplied(by: factor), at: input)
            try values.run(index..<model.instructions.count)
            return try model.output(of: values).floats()
        }
        #expect(logits[0] == expected)
        #expect(logits[1] != expected)
    }

    @Test func refusesToCutAGradModeRegion() throws {
        let body = GraphBlock(
            inputs: [.value("a")], outputs: [.value("c")],
            nodes: [node("relu", ["a"], "b"), node("neg", ["b"], "c")], tensors: [:])
        let region = GraphNode(
            name: "region", target: "torch.ops.higher_order.wrap_with_set_grad_enabled",
            arguments: [.bool(false), .graph(body), .value("x")].map { .init(name: "", value: $0) }, results: ["y"])
        let model = try ExportedModel(graph([region, node("neg", ["y"], "z")], output: "z"))
        #expect(model.instructions.indices.filter(model.isCut) == [0, 4])
        let values = try model.start(["x": Tensor([-1, 2] as [Float], shape: [2])])
        let error = #expect(throws: TorchError.self) { try values.run(0..<2) }
        #expect(error?.message.contains("inside a mode's region") == true)
        try values.run(0..<5)
        #expect(try model.output(of: values).floats() == [0, 2])
    }

    @Test func isNotCutWhereLiveMemoryIsWrittenToLater() throws {
        let nodes = [
            node("neg", ["x"], "a"), node("relu", ["a"], "b"), node("t", ["b"], "c"), node("neg_", ["c"], "d"),
            node("neg", ["b"], "e"),
        ]
        let model = try ExportedModel(graph(nodes, output: "e"))
        #expect(model.instructions.indices.filter(model.isCut) == [0, 1, 4])
        #expect(model.liveSlots(at: 4).count == 1)
    }

    @Test func aRunThatGoesBeyondTheProgramFails() throws {
        let model = try ExportedModel(graph([node("neg", ["x"], "z")], output: "z"))
        let values = try model.start(["x": Tensor([1] as [Float], shape: [1])])
        #expect(throws: TorchError.self) { try values.run(0..<2) }
        #expect(throws: TorchError.self) { try values.tensor(at: 1) }
        #expect(throws: TorchError.self) { try values.set(nil as Tensor?, at: 7) }
    }

    private func node(_ op: String, _ arguments: [String], _ result: String) -> GraphNode {
        GraphNode(
            name: result, target: "torch.ops.aten.\(op).default",
            arguments: arguments.map { .init(name: "self", value: .value($0)) }, results: [result])
    }

    private func graph(_ nodes: [GraphNode], output: String) -> ExportedGraph {
        let input = GraphInput(kind: .user, name: "x", value: "x")
        let block = GraphBlock(
            inputs: [.value("x")], outputs: [.value(output)], nodes: nodes,
            tensors: ["x": TensorMeta(dtype: "float32", shape: [nil])])
        return ExportedGraph(path: "test", inputs: [input], body: block, outputs: [.value(output)], stored: [:])
    }
}
