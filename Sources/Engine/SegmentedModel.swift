package import ExportedModel
package import Torch

/// A model that runs segment by segment, with the parameters of one segment in memory at a time.
///
/// Whatever the segments, a pass gives the same bytes: the same operators run on the same values in the same order.
package final class SegmentedModel {
    package let model: ExportedModel
    package let segments: [Segment]
    /// Forward passes that go through the segments together where no gradients are wanted, so that a segment's
    /// parameters are formed once for all of them.
    package let group: Int

    /// Some instructions, and what they need.
    package struct Segment {
        package let range: Range<Int>
        /// Slots of the parameters, buffers and constants that it reads.
        package let weightSlots: [Int]
        let weights: [ExportedModel.Input]
        /// Slots that were computed before it and are read in it or behind it.
        let live: [Int]
        /// The instructions that embeddings need, and the slots of the weights that these read.
        private let embedding: (range: Range<Int>, weightSlots: [Int])

        init(_ range: Range<Int>, of model: ExportedModel) {
            self.range = range
            weightSlots = model.weightSlots(of: range)
            weights = weightSlots.map { model.inputs[$0] }
            live = model.liveSlots(at: range.lowerBound)
            let end = max(range.lowerBound, min(range.upperBound, model.end(of: .embeddings)))
            embedding = (range.lowerBound..<end, model.weightSlots(of: range.lowerBound..<end))
        }

        /// What is run of it for an output, and the slots of the weights that are read.
        func part(for output: ModelOutput) -> (range: Range<Int>, weightSlots: [Int]) {
            output == .embeddings ? embedding : (range, weightSlots)
        }
    }

    /// One segment: everything at once.
    package convenience init(_ model: ExportedModel) {
        self.init(model, Segmentation(whole: model), group: 1, isStreamed: false)
    }

    /// `isStreamed`: whether parameters are formed at each lease; nil: where there are several segments.
    package init(_ model: ExportedModel, _ segmentation: Segmentation, group: Int, isStreamed: Bool? = nil) {
        self.model = model
        self.isStreamed = isStreamed ?? (segmentation.segments.count > 1)
        segments = segmentation.segments.map { Segment($0, of: model) }
        self.group = max(1, group)
    }

    /// Whether the parameters of a segment are formed when it runs, even where one segment is all.
    package let isStreamed: Bool

    /// Hands over the outputs of some passes, in order, without gradients; each is freed before the next pass ends.
    /// Memory: one segment's parameters, one pass's inner values, and what crosses one boundary for all passes.
    package func forward(
        _ passes: [ForwardPass], _ trunk: (any ParameterSource)?, _ body: (_ pass: Int, _ output: Tensor) throws -> Void
    ) throws {
        try TorchRuntime.withoutGradients {
            var runs = try passes.map { Optional(try model.start($0.inputs)) }
            for (number, segment) in segments.enumerated() {
                let leased = try trunk?.lease(segment.weights) ?? [:]
                if number + 1 < segments.count { trunk?.prefetch(segments[number + 1].weights) }
                for (index, pass) in passes.enumerated() {
                    guard let values = runs[index] else { continue }
                    let part = segment.part(for: pass.output)
                    for slot in part.weightSlots {
                        try model.fill(slot, of: values) { pass.own[$0] ?? leased[$0] }
                    }
                    try values.run(part.range)
                    for slot in part.weightSlots { try values.set(nil, at: slot) }
                    guard number == segments.count - 1 else { continue }
                    let output = try model.output(pass.output, of: values)
                    runs[index] = nil
                    try body(index, output)
                }
            }
        }
    }

    /// The outputs of some passes, in order, without gradients.
    package func forward(_ passes: [ForwardPass], _ trunk: (any ParameterSource)?) throws -> [Tensor] {
        var outputs: [Tensor] = []
        try forward(passes, trunk) { outputs.append($1) }
        return outputs
    }
}
