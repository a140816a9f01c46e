import Foundation
import Tasks
import Testing
import Torch

@testable import Merging

/// Losses against sums written out here.
@Suite struct ObjectiveTests {
    private let causal = Objective(kind: .languageModeling, inputs: ["input_ids", "attention_mask"])

    /// [2, 4, 3]: two sequences of four tokens, three words.
    private func logits(_ seed: UInt64) throws -> (Tensor, [[[Double]]]) {
        var random = SeededRandom(state: seed)
        let values = (0..<24).map { _ in 2 * random.uniform() }
        let nested = (0..<2).map { row in
            (0..<4).map { token in (0..<3).map { Double(values[(row * 4 + token) * 3 + $0]) } }
        }
        return (try Tensor(values, shape: [2, 4, 3]), nested)
    }

    private func logSoftmax(_ logits: [Double], temperature: Double = 1) -> [Double] {
        let scaled = logits.map { $0 / temperature }
        let sum = log(scaled.map(exp).reduce(0, +))
        return scaled.map { $0 - sum }
    }

    private let labels: [[Int64]] = [[1, 2, 0, 1], [2, 0, -100, -100]]

    private func labelTensor() throws -> Tensor { try Tensor(labels.flatMap { $0 }, shape: [2, 4]) }

    /// Predictions that are scored, as (row, token that predicts, label).
    private var scored: [(row: Int, token: Int, label: Int)] {
        (0..<2).flatMap { row in
            (0..<3).compactMap { token in
                labels[row][token + 1] == -100 ? nil : (row, token, Int(labels[row][token + 1]))
            }
        }
    }

    @Test func aCausalModelIsScoredAgainstTheNextToken() throws {
        let (tensor, values) = try logits(3)
        let losses = scored.map { -logSoftmax(values[$0.row][$0.token])[$0.label] }
        let loss = try causal.loss(tensor, labelTensor()).item()
        #expect(scored.count == 4)
        #expect(abs(loss - losses.reduce(0, +) / 4) < 1e-6)
        #expect(try causal.scored(tensor, labelTensor()) == 4)
    }

    @Test func distillationLeavesThePaddingOut() throws {
        let (student, studentValues) = try logits(3)
        let (teacher, teacherValues) = try logits(5)
        let divergences = scored.map { place in
            let wanted = logSoftmax(teacherValues[place.row][place.token], temperature: 2)
            let got = logSoftmax(studentValues[place.row][place.token], temperature: 2)
            return zip(wanted, got).map { exp($0) * ($0 - $1) }.reduce(0, +)
        }
        let loss = try causal.distillation(student, teacher: teacher, labels: labelTensor()).item()
        #expect(abs(loss - 4 * divergences.reduce(0, +) / 4) < 1e-6)
    }

    @Test func aModelWithADecoderIsScoredInPlace() throws {
        let objective = Objective(kind: .languageModeling, inputs: ["input_ids", "decoder_input_ids"])
        let (tensor, values) = try logits(7)
        let places = (0..<2).flatMap { row in (0..<4).map { (row, $0, labels[row][$0]) } }.filter { $0.2 != -100 }
        let losses = places.map { -logSoftmax(values[$0.0][$0.1])[Int($0.2)] }
        let loss = try objective.loss(tensor, labelTensor()).item()
        #expect(abs(loss - losses.reduce(0, +) / 6) < 1e-6)
    }

    @Test func aBatchWithNothingToScoreHasNoLossAndNoNaN() throws {
        let (tensor, _) = try logits(3)
        let nothing = try Tensor([Int64](repeating: -100, count: 8), shape: [2, 4])
        #expect(try causal.loss(tensor, nothing).item() == 0)
        #expect(try causal.distillation(tensor, teacher: tensor, labels: nothing).item() == 0)
    }

    @Test func regressionIsTheMeanSquare() throws {
        let objective = Objective(kind: .regression, inputs: ["x"])
        let outputs = try Tensor([1, 2, 4] as [Float], shape: [3, 1])
        let loss = try objective.loss(outputs, Tensor([0, 2, 1] as [Float], shape: [3]))
        #expect(abs(try loss.item() - 10 / 3) < 1e-6)
        #expect(objective.metric == .pearson)
        #expect(abs(Scorer.pearson([1, 2, 4], [3, 2, 0]) + 1) < 1e-12)
        #expect(Scorer.pearson([1, 2, 4], [5, 5, 5]) == 0)
    }

    @Test func labelsThatDoNotFitThePredictionsAreFaults() throws {
        let regression = Objective(kind: .regression, inputs: ["x"])
        let (sequence, _) = try logits(3)
        let cases: [(Objective, Tensor, [Int])] = [
            (regression, try .zeros([3, 2]), [3]),
            (Objective(kind: .classification, inputs: ["x"]), try .zeros([3, 5]), [3, 5]),
            (causal, sequence, [2]),
            (causal, sequence, [2, 3]),
            (causal, sequence, [8]),
            (causal, sequence, [4, 2]),
        ]
        for (objective, logits, shape) in cases {
            #expect(throws: LabelFault.self) { try objective.loss(logits, .zeros(shape, .int64)) }
        }
    }
}
