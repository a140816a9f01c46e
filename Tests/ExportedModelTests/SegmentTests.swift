import Engine
import ExportedModel
import Testing
import Torch

/// Models in segments give the bytes of undivided ones.
@Suite struct SegmentTests {
    /// Hands out the tensors that a segment asks for, and nothing else.
    private final class Trunk: ParameterSource {
        let tensors: [String: Tensor]
        var leases = 0
        /// Names that were asked for, leases and what was announced in turn.
        var calls: [(isLease: Bool, names: Set<String>)] = []

        init(_ tensors: [String: Tensor]) { self.tensors = tensors }

        func lease(_ inputs: [ExportedModel.Input]) -> [String: Tensor] {
            leases += 1
            let names = Set(inputs.flatMap(\.names))
            calls.append((true, names))
            return tensors.filter { names.contains($0.key) }
        }

        func prefetch(_ inputs: [ExportedModel.Input]) { calls.append((false, Set(inputs.flatMap(\.names)))) }
    }

    /// Every segment but the first is announced once, while the one before it is computed with.
    @Test func announcesTheNextSegmentBeforeItIsLeased() throws {
        let fixture = try Fixture("llama")
        let model = try ExportedModel(fixture.graph)
        let parts = segmented(model, limit: 1)
        let trunk = Trunk(fixture.weights)
        _ = try parts.forward([ForwardPass(inputs: fixture.inputs("same"), own: [:])], trunk)
        let leases = trunk.calls.filter(\.isLease).map(\.names)
        let announced = trunk.calls.filter { !$0.isLease }.map(\.names)
        #expect(leases.count == parts.segments.count && announced == Array(leases.dropFirst()))
        #expect(trunk.calls.map(\.isLease) == [true] + (1..<leases.count).flatMap { _ in [false, true] })
    }

    /// An output is handed over, and its pass dropped, before the next pass's output is there.
    @Test func handsOutputsOverInOrder() throws {
        let fixture = try Fixture("llama")
        let model = try ExportedModel(fixture.graph)
        let passes = ["same", "other"].map { ForwardPass(inputs: fixture.inputs($0), own: [:]) }
        let expected = try SegmentedModel(model).forward(passes, Trunk(fixture.weights)).map { try $0.floats() }
        var found: [Int: [Float]] = [:]
        try segmented(model, limit: 1).forward(passes, Trunk(fixture.weights)) { pass, output in
            #expect(found.count == pass)
            found[pass] = try output.floats()
        }
        #expect([found[0], found[1]] == expected)
    }

    /// Writes down everything that arrives.
    private final class Recorder: GradientReceiver {
        let labels: [Tensor]
        var parts: [Int: [[Float]]] = [:]
        var completed: [Int] = []
        var losses: [Double] = []

        init(_ labels: [Tensor]) { self.labels = labels }

        func perform(_ pass: Int, _ body: () throws -> Void) throws { try body() }
        func complete(_ layers: [Int]) { completed += layers }

        func loss(ofPass pass: Int, _ output: Tensor) throws -> Tensor {
            let loss = try output.reshaped([-1, output.shape.last ?? 1]).crossEntropy(labels[pass])
            losses.append(try loss.item())
            return loss
        }

        func receive(_ part: GradientTape.Part, of layer: Int, pass: Int) throws {
            #expect(!completed.contains(layer))
            let values: [[Float]] =
                switch part {
                case .whole(let gradient): [[0], try gradient.floats()]
                case .product(let left, let right): [[1], try left.floats(), try right.floats()]
                case .rows(let places, let values): [[2], try places.floats(), try values.floats()]
                }
            parts[layer, default: []] += [[Float(pass)]] + values
        }
    }

    private func segmented(_ model: ExportedModel, limit: Int64) -> SegmentedModel {
        let weights = model.inputs.enumerated().filter { $1.kind != .user }.map { slot, input in
            (slot, 4 * Int64(input.slot.shape.reduce(1) { $0 * ($1 ?? 1) }))
        }
        let costs = Segmentation.Costs(
            values: ValueSizes(model, batch: 2, length: 5), weights: Dictionary(uniqueKeysWithValues: weights),
            passes: 2)
        return SegmentedModel(model, Segmentation(model, costs, limit: limit), group: 2)
    }

    /// Each weight of a linear layer once for each token; each token with each other in attention, once for the weights
    /// and once for the sum.
    @Test func countsTheOperationsOfAPass() throws {
        let fixture = try Fixture("llama")
        let model = try ExportedModel(fixture.graph)
        // The output layer is tied to the embeddings.
        let linear = fixture.weights.filter {
            $0.key.hasSuffix("proj.weight") || $0.key == "model.embed_tokens.weight"
        }
        let weights = linear.values.reduce(0) { $0 + $1.shape.reduce(1, *) }
        let queries = fixture.weights.filter { $0.key.hasSuffix("q_proj.weight") }
        let width = queries.values.reduce(0) { $0 + ($1.shape.first ?? 0) }
        #expect(linear.count > 7 && width > 0)
        for (batch, length) in [(1, 1), (2, 5), (3, 8)] {
            let tokens = batch * length
            let count = OperationCount(model, batch: batch, length: length)
            #expect(count.forward == Double(2 * tokens * weights + 4 * tokens * length * width), "\(batch), \(length)")
        }
    }

    @Test(arguments: Fixture.names) func outputsAndGradientsAreThoseOfOneSegment(name: String) throws {
        let fixture = try Fixture(name)
        let model = try ExportedModel(fixture.graph)
        let passes = ["same", "other"].map { ForwardPass(inputs: fixture.inputs($0), own: [:]) }
        let labels = try ["same", "other"].map { try fixture.tensor($0, "labels") }
        let buffers = Set(model.signature.buffers.map(\.name))
        let names = fixture.weights.keys.filter { !buffers.contains($0) }.sorted()
        for forms in [GradientTape.Forms.rows, [.products, .rows]] {
            let watched = Dictionary(
                uniqueKeysWithValues: names.enumerated().map { ($1, WatchedParameter(layer: $0, forms: forms)) })
            let whole = Recorder(labels)
            try SegmentedModel(model).backward(
                passes, Trunk(fixture.weights), watching: watched, autocast: false, whole)
            #expect(!whole.parts.isEmpty)
            let parts = segmented(model, limit: 1)
            #expect(parts.segments.count > (["assorted", "stem"].contains(name) ? 1 : 4), "\(parts.segments.count)")
            let trunk = Trunk(fixture.weights)
            let recorder = Recorder(labels)
            try parts.backward(passes, trunk, watching: watched, autocast: false, recorder)
            #expect(trunk.leases == 2 * parts.segments.count - 1)
            #expect(recorder.losses == whole.losses)
            #expect(Set(recorder.completed) == Set(whole.completed))
            #expect(recorder.parts.keys.sorted() == whole.parts.keys.sorted())
            for (layer, expected) in whole.parts {
                #expect(recorder.parts[layer] == expected, "\(names[layer])")
            }
            let outputs = try [SegmentedModel(model), parts].map {
                try $0.forward(passes, trunk).map { try $0.floats() }
            }
            #expect(outputs[0] == outputs[1])
        }
    }

    @Test func aTighterLimitMakesMoreSegmentsThatTakeLess() throws {
        let model = try ExportedModel(Fixture("bert").graph)
        let loose = segmented(model, limit: .max / 4)
        #expect(loose.segments.count == 1 && !loose.isStreamed)
        let weights = try Fixture("bert").weights.values.reduce(0) { $0 + 4 * $1.elementCount }
        let half = segmented(model, limit: Int64(weights))
        let tight = segmented(model, limit: 1)
        #expect(half.segments.count > 1 && half.segments.count <= tight.segments.count)
        #expect(
            tight.segments.map(\.range).reduce(0) { $0 == $1.lowerBound ? $1.upperBound : -1 }
                == model.instructions.count)
    }
}
