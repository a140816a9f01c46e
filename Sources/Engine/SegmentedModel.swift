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

        init(_ range: Range<Int>, of model: ExportedModel) {
            self.range = range
            weightSlots = model.weightSlots(of: range)
            weights = weightSlots.map { model.inputs[$0] }
            live = model.liveSlots(at: range.lowerBound)
        }
    }

    /// One segment: everything at once.
    package convenience init(_ model: ExportedModel) {
        self.init(model, Segmentation(whole: model), group: 1)
    }

    package init(_ model: ExportedModel, _ segmentation: Segmentation, group: Int) {
        self.model = model
        segments = segmentation.segments.map { Segment($0, of: model) }
        self.group = max(1, group)
    }

    package var isStreamed: Bool { segments.count > 1 }

    /// The outputs of some passes, in order, without gradients. Memory: one segment's parameters, one pass's inner
    /// values, and what crosses one boundary for all passes.
    package func forward(_ passes: [ForwardPass], _ trunk: (any ParameterSource)?) throws -> [Tensor] {
        try TorchRuntime.withoutGradients {
            let runs = try passes.map { try model.start($0.inputs) }
            for segment in segments {
                let leased = try trunk?.lease(segment.weights) ?? [:]
                for (pass, values) in zip(passes, runs) {
                    for slot in segment.weightSlots {
                        try model.fill(slot, of: values) { pass.own[$0] ?? leased[$0] }
                    }
                    try values.run(segment.range)
                    for slot in segment.weightSlots { try values.set(nil, at: slot) }
                }
            }
            return try runs.map(model.output)
        }
    }
}
