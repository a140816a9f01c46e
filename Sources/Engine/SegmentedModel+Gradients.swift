internal import ExportedModel
package import Torch

/// Who receives the gradients of a step.
package protocol GradientReceiver: AnyObject {
    /// The loss of a pass, one element, from its output.
    func loss(ofPass pass: Int, _ output: Tensor) throws -> Tensor
    /// A part of ∂loss/∂θ(layer) of a pass. Each layer's parts come pass by pass, and within a pass in the order of the
    /// backward pass, whatever the segments.
    func receive(_ part: GradientTape.Part, of layer: Int, pass: Int) throws
    /// Nothing more comes of these layers in this step.
    func complete(_ layers: [Int]) throws
    /// Runs what is done for a pass: the place to say whose fault a failure is.
    func perform(_ pass: Int, _ body: () throws -> Void) throws
}

/// A parameter whose gradient is wanted, by the index that it is handed over with.
package struct WatchedParameter {
    package let layer: Int
    package let forms: GradientTape.Forms

    package init(layer: Int, forms: GradientTape.Forms) {
        self.layer = layer
        self.forms = forms
    }
}

extension SegmentedModel {
    /// Forward and backward of some passes. `watched` names tensors that the trunk leases.
    ///
    /// Of the forward pass only what crosses a boundary is kept; backward, segment by segment from the last, a segment
    /// is leased and run again from there. With one segment each pass goes forward and backward before the next one.
    /// Memory: one segment's parameters, one pass's inner values of it, the boundary values of all passes, and what the
    /// receiver holds.
    package func backward(
        _ passes: [ForwardPass], _ trunk: any ParameterSource, watching watched: [String: WatchedParameter],
        autocast: Bool, _ receiver: some GradientReceiver
    ) throws {
        let plan = LayerUse(segments, watched)
        let runner = SegmentRunner(model: model, watched: watched, autocast: autocast)
        var states = passes.map { _ in PassState() }
        for (segment, next) in zip(segments, segments.dropFirst()) {
            let leased = try trunk.lease(segment.weights)
            trunk.prefetch(next.weights)
            for (index, pass) in passes.enumerated() {
                try receiver.perform(index) {
                    let run = try runner.record(segment, pass, states[index].boundaries.last, leased)
                    states[index].boundaries.append(try runner.boundary(before: next, of: run))
                }
            }
        }
        for (number, segment) in segments.enumerated().reversed() {
            let leased = try trunk.lease(segment.weights)
            if number > 0 { trunk.prefetch(segments[number - 1].weights) }
            for (index, pass) in passes.enumerated() {
                try receiver.perform(index) {
                    let run = try runner.record(segment, pass, states[index].boundaries.popLast(), leased)
                    var roots: [GradientTape.Root] = []
                    if number == segments.count - 1 {
                        roots = [.init(try receiver.loss(ofPass: index, model.output(pass.output, of: run.values)))]
                    } else {
                        roots = try states[index].roots(run, segment, followedBy: segments[number + 1])
                    }
                    try states[index].release(plan.first(in: number)) { part, layer in
                        try receiver.receive(part, of: layer, pass: index)
                    }
                    var slopes: [Int: Tensor] = [:]
                    defer { states[index].slopes = slopes }
                    guard !roots.isEmpty else { return }
                    try run.tape.backward(from: roots) { target, part in
                        switch (target, part) {
                        case (..<0, .whole(let gradient)): slopes[-1 - target] = gradient
                        case (..<0, _): break
                        case (let layer, let part) where plan.isFirst(number, of: layer):
                            try receiver.receive(part, of: layer, pass: index)
                        case (let layer, let part): states[index].hold(part, of: layer)
                        }
                    }
                }
            }
            try receiver.complete(plan.first(in: number))
        }
    }
}

/// In which segments each watched layer is used.
private struct LayerUse {
    private var segments: [Int: Int] = [:]
    private var layers: [[Int]]

    init(_ segments: [SegmentedModel.Segment], _ watched: [String: WatchedParameter]) {
        layers = segments.map { _ in [] }
        for (number, segment) in segments.enumerated() {
            for layer in segment.weights.flatMap(\.names).compactMap({ watched[$0]?.layer })
            where self.segments[layer] == nil {
                self.segments[layer] = number
                layers[number].append(layer)
            }
        }
    }

    /// Whether nothing before this segment uses the layer.
    func isFirst(_ segment: Int, of layer: Int) -> Bool { segments[layer] == segment }

    /// Layers that are used here and not before, in order.
    func first(in segment: Int) -> [Int] { layers[segment].sorted() }
}

/// What a pass needs to go on from a boundary.
private struct Boundary {
    let values: ProgramValues
    /// Slots whose values had a gradient function.
    var recorded: Set<Int> = []

    init(_ values: ProgramValues) { self.values = values }
}

/// A segment that has run with a record for gradients.
private struct RecordedRun {
    let tape: GradientTape
    let values: ProgramValues
    /// The watched aliases of parameters, by layer.
    var aliases: [Int: Tensor] = [:]
}

/// Where one pass stands.
private struct PassState {
    /// Before each segment but the first that is still to be gone through backward.
    var boundaries: [Boundary] = []
    /// ∂loss/∂value of what crosses the boundary behind the segment, by slot.
    var slopes: [Int: Tensor] = [:]
    /// Of layers that an earlier segment uses too: the sum so far, and the parts, in order.
    private var sums: [Int: Tensor] = [:]
    private var parts: [Int: [GradientTape.Part]] = [:]

    mutating func hold(_ part: GradientTape.Part, of layer: Int) {
        if case .whole(let gradient) = part { sums[layer] = gradient } else { parts[layer, default: []].append(part) }
    }

    /// Hands over the parts that were held of layers whose first use comes now.
    mutating func release(_ layers: [Int], _ body: (GradientTape.Part, Int) throws -> Void) throws {
        for layer in layers { for part in parts.removeValue(forKey: layer) ?? [] { try body(part, layer) } }
    }

    /// Where the segment's backward pass begins: what crosses the boundary behind it, and the sums of parameters that
    /// later segments used. A value that only passes through is a root too, so that its gradient is added up in the
    /// order of an undivided pass.
    mutating func roots(
        _ run: RecordedRun, _ segment: SegmentedModel.Segment, followedBy next: SegmentedModel.Segment
    ) throws -> [GradientTape.Root] {
        var roots: [GradientTape.Root] = []
        for slot in next.live {
            guard let gradient = slopes[slot] else { continue }
            let value = try run.values.tensor(at: slot)
            if value.isRecorded { roots.append(.init(value, gradient: gradient)) }
        }
        for (layer, alias) in run.aliases.sorted(by: { $0.key < $1.key }) {
            if let sum = sums.removeValue(forKey: layer) { roots.append(.init(alias, gradient: sum)) }
        }
        return roots
    }
}

/// Runs segments with a record for gradients.
private struct SegmentRunner {
    let model: ExportedModel
    let watched: [String: WatchedParameter]
    let autocast: Bool

    func record(
        _ segment: SegmentedModel.Segment, _ pass: ForwardPass, _ boundary: Boundary?, _ leased: [String: Tensor]
    ) throws -> RecordedRun {
        var run = RecordedRun(tape: GradientTape(), values: try model.start(pass.inputs))
        for slot in segment.live {
            guard let boundary else { continue }
            guard boundary.recorded.contains(slot) else {
                try run.values.copy(slot, from: boundary.values)
                continue
            }
            try run.values.set(run.tape.watch(boundary.values.tensor(at: slot), index: -1 - slot), at: slot)
        }
        var parameters = leased
        for (name, tensor) in leased where pass.own[name] == nil {
            guard let parameter = watched[name] else { continue }
            let alias = try run.tape.watch(tensor, index: parameter.layer, in: parameter.forms)
            parameters[name] = alias
            run.aliases[parameter.layer] = alias
        }
        let part = segment.part(for: pass.output)
        for slot in part.weightSlots {
            try model.fill(slot, of: run.values) { pass.own[$0] ?? parameters[$0] }
        }
        try TorchRuntime.withAutocast(autocast) { try run.values.run(part.range) }
        return run
    }

    /// What the next segments need of a run, outside of its record.
    func boundary(before next: SegmentedModel.Segment, of run: RecordedRun) throws -> Boundary {
        var boundary = Boundary(try ProgramValues(run.values.program))
        for slot in next.live {
            let isTensor = run.values.isTensor(at: slot)
            guard isTensor, case let value = try run.values.tensor(at: slot), value.isRecorded else {
                try boundary.values.copy(slot, from: run.values)
                continue
            }
            try boundary.values.set(value.detached(), at: slot)
            boundary.recorded.insert(slot)
        }
        return boundary
    }
}
