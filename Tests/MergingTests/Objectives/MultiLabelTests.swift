import Foundation
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// Several labels an example, against the definitions: binary cross-entropy, and F1 over the flags of all classes or
/// of each.
@Suite struct MultiLabelTests {
    private let scores: [Float] = [1.5, -0.5, 0.25, -2, 0.75, 0.1, 3, -1, -0.2, -0.3, 2, 1]
    private let flags: [Int64] = [1, 0, 0, 0, 1, 1, 1, 1, 0, 0, 1, 0]

    private func tensors() throws -> (Tensor, Tensor) {
        (try Tensor(scores, shape: [4, 3]), try Tensor(flags, shape: [4, 3]))
    }

    private func f1(_ places: [Int]) -> Double {
        let right = places.count { scores[$0] > 0 && flags[$0] == 1 }
        return 2 * Double(right) / Double(places.count { scores[$0] > 0 } + places.count { flags[$0] == 1 })
    }

    @Test func theLossIsTheBinaryCrossEntropy() throws {
        let (logits, labels) = try tensors()
        let objective = Objective(kind: .multiLabel, inputs: ["input_ids"])
        let tape = GradientTape()
        let loss = try objective.loss(tape.watch(logits, index: 0), labels)
        let terms = zip(scores, flags).map { log1p(exp(-Double($0))) + (1 - Double($1)) * Double($0) }
        #expect(abs(try loss.item() - terms.reduce(0, +) / 12) < 1e-6)
        var gradient: [Float] = []
        try tape.backward(loss) { gradient = try $1.floats() }
        for (place, found) in gradient.enumerated() {
            let wanted = (1 / (1 + exp(-Double(scores[place]))) - Double(flags[place])) / 12
            #expect(abs(Double(found) - wanted) < 1e-6)
        }
        #expect(try abs(objective.distillation(logits, teacher: logits, labels: labels).item()) < 1e-6)
    }

    @Test(arguments: [Metric.microF1, .macroF1]) func flagsAreCounted(metric: Metric) throws {
        let (logits, labels) = try tensors()
        var running = RunningMetric(
            Objective(kind: .multiLabel, metric: metric, inputs: ["input_ids"]), measuresLoss: true)
        // In two batches, so that columns do not depend on where one begins.
        try running.add(logits.rows(from: 0, count: 1), labels.rows(from: 0, count: 1), checkpoint: nil)
        try running.add(logits.rows(from: 1, count: 3), labels.rows(from: 1, count: 3), checkpoint: nil)
        let wanted =
            metric == .microF1
            ? f1(Array(0..<12))
            : (0..<3).map { column in f1([0, 3, 6, 9].map { $0 + column }) }.reduce(0, +) / 3
        #expect(abs(running.value - wanted) < 1e-12)
        let p = try #require(PairedRandomization.pValue(running.predictions, running.predictions, metric))
        #expect(p == 1)
    }

    @Test func labelsOfAnotherShapeAreRefused() throws {
        let (logits, _) = try tensors()
        let objective = Objective(kind: .multiLabel, inputs: ["input_ids"])
        #expect(throws: (any Error).self) { try objective.loss(logits, Tensor([1, 0, 1, 1] as [Int64], shape: [4])) }
    }
}
